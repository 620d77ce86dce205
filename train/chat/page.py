"""The page on which a student is talked to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from pipeline.errors import CourseworkError
from train.chat.conversation import DOCUMENTS, LONGEST_QUESTION, Message, Session, Talk, Wish
from train.chat.hearing import MISSING, SECONDS, Hear, heard
from train.chat.turns import Chat, Side
from train.generation import PRESETS, Decoding

TITLES: dict[Side, str] = {"student": "Student", "base": "Base, before training"}
MOST_TOKENS = 1024
"""The longest answer that can be asked for, where more than one so long was not taught."""


def build_page(chat: Chat, hear: Hear | None, beside: bool = False, deaf: str = MISSING) -> Any:
    """The page as a gradio app; `beside` shows the base from the start. Without `hear` it says what `deaf` says."""
    import gradio as gr

    with gr.Blocks(title=f"{chat.name}: coursework", analytics_enabled=False) as page:
        session = gr.State(Session())
        gr.Markdown(_about(chat))
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                with gr.Row():
                    logs = {side: _log(side, chat, beside) for side in TITLES}
                question = gr.Textbox(
                    show_label=False,
                    placeholder="Ask a question",
                    submit_btn=True,
                    autofocus=True,
                    max_length=LONGEST_QUESTION,
                    max_lines=6,
                    elem_id="question",
                )
                _speech(hear, question, deaf)
            with gr.Column(scale=1, min_width=280):
                controls = _controls(chat, beside)
                anew = gr.Button("New chat", size="sm")
        _wire(Talk(chat), _Parts(session, gr.State(""), question, logs, controls, anew))
    return page


@dataclass(frozen=True)
class _Parts:
    """What the page is made of, as far as a click changes it."""

    session: Any
    asked: Any
    question: Any
    logs: dict[Side, Any]
    controls: list[Any]
    anew: Any


def _log(side: Side, chat: Chat, beside: bool) -> Any:
    import gradio as gr

    examples = [{"text": question} for question in chat.taught.examples]
    return gr.Chatbot(
        label=TITLES[side],
        visible=side == "student" or (beside and side in chat.voices),
        # An answer is a text. Taken for Markdown or HTML it could hold a picture, and an address to fetch it from.
        render_markdown=False,
        height=480,
        min_width=280,
        # Its own button would copy the HTML that shows a text, not the text.
        buttons=[],
        latex_delimiters=[],
        examples=examples if side == "student" else None,
        placeholder="Ask what it was taught, or something else." if side == "student" else "",
        elem_id=side,
    )


def _controls(chat: Chat, beside: bool) -> list[Any]:
    """The controls, in the order of the fields of a Wish."""
    import gradio as gr

    rules, taught = chat.rules, chat.taught
    decoding = gr.Radio(list(PRESETS), value=rules.decoding, label="Decoding", elem_id="decoding")
    temperature = gr.Slider(0, 2, 0, step=0.05, label="Temperature", interactive=False, elem_id="temperature")
    top_p = gr.Slider(0.05, 1, 1, step=0.05, label="Top p", interactive=False, elem_id="top_p")
    most = max(rules.max_new_tokens, min(MOST_TOKENS, chat.context // 2))
    tokens = gr.Slider(1, most, rules.max_new_tokens, step=1, label="At most so many tokens", elem_id="tokens")
    seed = gr.Number(0, label="Seed", info="The same one draws the same answer; 0 draws anew each time.", precision=0)
    system = gr.Textbox(
        chat.system or "",
        label="System prompt",
        info="It was taught with this one." if chat.system else "It was taught without one.",
        lines=2,
        max_length=LONGEST_QUESTION,
        visible=chat.system is not None,
        elem_id="system",
    )
    lookup = gr.Checkbox(
        False, label="Look it up in the documents", info=_about_documents(chat), interactive=bool(taught.documents),
        elem_id="lookup",
    )  # fmt: skip
    number = gr.Slider(1, DOCUMENTS, 1, step=1, label="Documents beside the question", visible=False)
    base = gr.Checkbox(beside, label="Base beside it", visible="base" in chat.voices, elem_id="beside")
    decoding.change(_sliders, decoding, [temperature, top_p], api_visibility="private", show_progress="hidden")
    lookup.change(lambda on: gr.update(visible=on), lookup, number, api_visibility="private", show_progress="hidden")
    return [decoding, temperature, top_p, tokens, seed, system, lookup, number, base]


def _sliders(decoding: Decoding) -> list[Any]:
    """A preset sets the sliders; greedy has no use for them."""
    import gradio as gr

    preset = PRESETS[decoding]
    drawn = preset["temperature"] > 0
    return [gr.update(value=preset[name], interactive=drawn) for name in ("temperature", "top_p")]


def _wire(talk: Talk, parts: _Parts) -> None:
    import gradio as gr

    def take(question: str) -> list[Any]:
        return [question, gr.update(value="", submit_btn=False, stop_btn=True)]

    def answer(question: str, session: Session, *wish: Any) -> Iterator[list[Any]]:
        for _ in talk.answer(question, session, Wish(*wish)):
            yield _messages(session)

    def ready() -> Any:
        return gr.update(submit_btn=True, stop_btn=False)

    def forget() -> list[Any]:
        return [[], [], Session()]

    quiet = {"api_visibility": "private", "show_progress": "hidden"}
    # The box is emptied before the answer begins: whoever types on meanwhile loses nothing.
    taken = parts.question.submit(take, parts.question, [parts.asked, parts.question], queue=False, **quiet)
    asked = taken.then(
        answer,
        [parts.asked, parts.session, *parts.controls],
        list(parts.logs.values()),
        concurrency_limit=1,
        # What is asked while an answer is still being given, or given up, waits for its turn.
        trigger_mode="multiple",
        **quiet,
    )
    # Also after a fault or a stop, or there would be nothing left to ask with.
    asked.then(ready, None, parts.question, **quiet)
    parts.question.stop(None, cancels=[asked], queue=False, **quiet)
    parts.anew.click(forget, None, [*parts.logs.values(), parts.session], cancels=[asked], queue=False, **quiet).then(
        ready, None, parts.question, **quiet
    )
    for log in parts.logs.values():
        log.clear(forget, None, [*parts.logs.values(), parts.session], queue=False, **quiet)
    parts.controls[-1].change(lambda on: gr.update(visible=on), parts.controls[-1], parts.logs["base"], **quiet)

    def example(chosen: Any) -> str:
        return str(chosen.value["text"])

    # Gradio reads what to hand over from here, and would not find its own name in this module.
    example.__annotations__["chosen"] = gr.SelectData
    parts.logs["student"].example_select(example, None, parts.question, **quiet)


def _messages(session: Session) -> list[Any]:
    return [[_as_html(message) for message in session.logs[side].messages] for side in TITLES]


def _as_html(message: Message) -> Message:
    """What is not rendered as Markdown gradio sets into the page as HTML: every text becomes HTML that shows it."""
    found = {**message, "content": escape(message["content"], quote=False)}
    if metadata := message.get("metadata"):
        found["metadata"] = {**metadata, "title": escape(metadata["title"], quote=False)}
    return found


def _speech(hear: Hear | None, question: Any, deaf: str) -> None:
    import gradio as gr

    if hear is None:
        gr.Markdown(deaf, elem_classes="remark", elem_id="speech")
        return
    with gr.Accordion("Speak", open=False, elem_id="speech"):
        sound = gr.Audio(
            label=f"At most {SECONDS} seconds, understood on this machine",
            sources=["microphone", "upload"],
            type="filepath",
            editable=False,
            buttons=[],
        )
        trouble = gr.Markdown(elem_classes="remark", elem_id="trouble")

    def understand(path: str | None) -> list[Any]:
        if path is None:
            return [gr.skip(), gr.skip(), gr.skip()]
        try:
            return [heard(Path(path), hear), None, ""]
        except CourseworkError as fault:
            return [gr.skip(), None, str(fault)]

    gr.on([sound.stop_recording, sound.upload], understand, sound, [question, sound, trouble], api_visibility="private")


def _about(chat: Chat) -> str:
    lines = [chat.origin]
    if chat.taught.dialogues:
        lines.append("It was taught with conversations: a question may build on the ones before it.")
    else:
        lines.append("It was taught single questions: each stands alone, whatever was said before it.")
    if chat.taught.imitates:
        names = ", ".join(chat.taught.imitates)
        lines.append(f"**It imitates the voice of {names}; nothing that it says is theirs.**")
    return f"## {chat.name}\n\n{' '.join(lines)}"


def _about_documents(chat: Chat) -> str:
    taught = chat.taught
    if taught.unknown:
        return f"There are none to look in: {taught.unknown}"
    if not taught.documents:
        return "Its dataset has no documents."
    number = f"{len(taught.documents)} passages of its dataset, found by their words."
    return number if taught.contexts else f"{number} It was taught without a text beside the question: expect little."
