// Shows the answers that the reader asks for, a hundred at a time. Without it, all of them are there.
"use strict";
(() => {
  const form = document.querySelector("form.filter");
  const cards = [...document.querySelectorAll("article.answer")];
  const told = document.querySelector(".told");
  const more = document.querySelector("button.more");
  const STEP = 100;
  let limit = STEP;

  const asked = (card, wanted) =>
    (!wanted.slice || card.dataset.slice === wanted.slice) &&
    (!wanted.student || card.dataset.student === wanted.student) &&
    (!wanted.base || card.dataset.base === wanted.base) &&
    (!wanted.tag || card.dataset.tags.split(" ").includes(wanted.tag)) &&
    (!wanted.words || card.textContent.toLowerCase().includes(wanted.words.toLowerCase()));

  const show = () => {
    const wanted = Object.fromEntries(new FormData(form));
    let found = 0;
    for (const card of cards) {
      const fits = asked(card, wanted);
      if (fits) found += 1;
      card.hidden = !fits || found > limit;
    }
    const shown = Math.min(found, limit);
    told.textContent = `${shown} of ${found} shown` + (found < cards.length ? `, out of ${cards.length} in all` : "");
    more.hidden = found <= limit;
  };

  form.addEventListener("input", () => { limit = STEP; show(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { limit = STEP; show(); }));
  more.addEventListener("click", () => { limit += STEP; show(); });
  form.hidden = false;
  show();
})();
