"""The recipe: one YAML file that says all there is to say about one dataset."""

from __future__ import annotations

import hashlib
import re
import string
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, create_model, field_validator, model_validator

from pipeline.kinds import DRAFTERS
from pipeline.mix.licences import spdx
from pipeline.mix.settings import Mix
from pipeline.yamlfile import Section, read_yaml

_NAME = "[a-z0-9][a-z0-9_-]{0,63}"


class Teacher(Section):
    """The endpoint that drafts, and how it is asked."""

    model: str = Field(default="", description="name the endpoint knows; empty means the embedded stand-in, or --model")
    base_url: str = Field(
        default="", description="root of the endpoint; empty means OPENAI_BASE_URL, else OpenAI's own"
    )
    mode: Literal["online", "batch"] = Field(
        default="online", description="batch: sent in files, collected by a later run, at a discount"
    )
    batch_price: float = Field(default=0.5, ge=0, le=1, description="of a request in a batch, as a share of the price")
    temperature: float = Field(default=0.7, ge=0, le=2)
    max_output_tokens: int = Field(
        default=8192, ge=256, description="a reply cut by this limit is a failure, so be generous"
    )
    in_flight: int = Field(default=16, ge=1, le=4096, description="requests under way at once")
    deadline_seconds: float = Field(
        default=600, gt=0, description="for one try, at most; a few times the usual duration ends it earlier"
    )
    silence_seconds: float | None = Field(
        default=None, gt=0, description="no reply at all for so long ends the run; empty means twice deadline_seconds"
    )
    tries: int = Field(default=5, ge=1, le=20, description="for one request, before it waits for the next run")
    requests_per_minute: float | None = Field(default=None, gt=0)
    tokens_per_minute: float | None = Field(default=None, gt=0)
    usd_per_million: tuple[float, float] | None = Field(
        default=None, description="price of a million tokens [read, written]; empty means prices.yaml"
    )


class Cap(Section):
    """What may be spent in one span of time; what is left out is not capped."""

    usd: float | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)
    requests: int | None = Field(default=None, ge=0)


class Budget(Section):
    """What may be spent. The worst case of a request is charged before it is sent, and settled after."""

    run: Cap = Cap()
    day: Cap = Field(default=Cap(), description="a calendar day, UTC")
    life: Cap = Field(default=Cap(), description="of the dataset, all runs together")


class Documents(Section):
    """Documents to draft questions from."""

    files: tuple[str, ...] = Field(min_length=1, description="files, folders or globs, relative to the recipe")
    passage_tokens: int = Field(default=300, ge=60, le=8000, description="largest passage put to the teacher")
    facts_per_passage: int = Field(default=14, ge=1, le=50)
    wordings: int = Field(default=8, ge=1, le=20, description="questions asked for each fact, all with its one answer")
    seconds_per_file: float = Field(
        default=55,
        gt=0,
        description="by the clock; a PDF has 0.2 s (with text recognition 10 s) for each page that gave text, if more",
    )
    memory_mib_per_file: int = Field(default=2048, ge=256)
    reader: Literal["auto", "pypdf", "pypdfium2"] = Field(
        default="auto",
        description="of PDFs; auto keeps the better text of each page, and has pypdf, the slower, only sample a long"
        " file on which it does no better",
    )
    reader_margin: float = Field(
        default=0.03,
        ge=0,
        le=1,
        description="pypdfium2's text of a page takes pypdf's place (in long files the reverse) if better by more",
    )
    least_quality: float = Field(
        default=0.5, ge=0, le=1, description="a page with a smaller share of plausible words is gibberish, and left out"
    )
    ocr: bool = Field(
        default=False,
        description="pages that are pictures are read by Tesseract, if it is installed; takes seconds a page",
    )
    ocr_languages: str = Field(
        default="eng",
        pattern=r"^[A-Za-z_]{3,20}(\+[A-Za-z_]{3,20}){0,9}$",
        description="as Tesseract names them: deu+eng",
    )
    personal_data: Literal["report", "mask", "drop"] = Field(
        default="report",
        description="e-mail addresses, phone, account and card numbers are named, masked, or dropped with their"
        " sentence; secrets such as keys and passwords are always masked",
    )
    password_env: str = Field(
        default="",
        description="environment variable with the password of encrypted documents; never the password itself",
    )


class Persona(Section):
    """A persona to draft questions and answers for."""

    file: str = Field(description="the persona's YAML, relative to the recipe")
    answers_per_request: int = Field(default=10, ge=1, le=50)


class Banked(Section):
    """Questions to be refused, asked of the teacher field by field."""

    fields: tuple[str, ...] = Field(default=(), description="a held-out field is held out whole")
    per_field: int = Field(default=16, ge=1, le=200)


class Refusals(Section):
    """Questions that the student shall refuse, and the sentence it refuses with."""

    topic: str = Field(min_length=3, description="what the student may talk about; all else is off topic")
    sentence: str = Field(default="", description="the refusal, byte for byte")
    sentences: tuple[str, ...] = Field(
        default=(), description="in place of `sentence`: several refusals; which one a question gets is a stable hash"
    )
    off_topic: Banked = Banked()
    near_topic: Banked = Field(default=Banked(), description="sounds like the topic, the documents do not answer it")
    false_premise: Banked = Field(
        default=Banked(), description="takes something for granted that the documents contradict or never say"
    )
    share: float = Field(
        default=0.4,
        ge=0,
        lt=1,
        description="of train.jsonl are refusals, to the nearest row; a run says what is lacking",
    )
    twin_overlap: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="a near-topic refusal is trained beside a question with an answer that holds this share of the term"
        " it names (rare words count more), or not at all",
    )
    asked_from: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description="a question that shares this much of its words with a passage is put to the teacher beside it:"
        " does the document answer it? (rare words count more)",
    )
    asked_together: int = Field(default=6, ge=1, le=50, description="such questions in one request")
    passages_each: int = Field(default=2, ge=1, le=10, description="nearest passages beside each of them")

    @property
    def every_sentence(self) -> tuple[str, ...]:
        """What counts as a refusal."""
        return self.sentences or (self.sentence,)

    @model_validator(mode="after")
    def _says_how_to_refuse(self) -> Refusals:
        if bool(self.sentence) == bool(self.sentences):
            raise ValueError("expected either sentence: or sentences:, what a question to be refused is answered with")
        if any(len(sentence) < 3 or sentence != sentence.strip() for sentence in self.every_sentence):
            raise ValueError("expected refusals of 3 characters or more, without blanks around them")
        return self


class Checks(Section):
    """Thresholds of the checks; each check names its fault in the rejection."""

    question_words: tuple[int, int] = Field(default=(3, 60), description="fewest and most words of a question")
    answer_words: tuple[int, int] = Field(default=(1, 120), description="fewest and most words of an answer")
    answer_echo: float = Field(
        default=85,
        ge=50,
        le=100,
        description="an answer this alike to its question that adds no word to it repeats it (Indel ratio)",
    )
    language_odds: float | None = Field(
        default=100,
        gt=1,
        description="a text is in another language if that is so many times as likely as the recipe's; null: not asked",
    )
    language_words: int = Field(
        default=6, ge=1, description="a text in another language with fewer words (a title, a term) is only flagged"
    )
    persona_facts: int = Field(
        default=0, ge=0, description="numbers and names of an answer that the persona's file may lack; more are flagged"
    )
    catch_phrase_share: float = Field(
        default=0.05, gt=0, le=1, description="of a persona's answers, may hold one phrase; those above are flagged"
    )
    catch_phrase_least: int = Field(default=3, ge=1, description="answers that may share a phrase in any case")
    near_duplicate: float = Field(
        default=90,
        ge=50,
        le=100,
        description="questions this alike in letters (0 to 100, Indel ratio) are flagged as similar; those that"
        " differ in trifles only, such as articles, are one, and the later is rejected",
    )
    similar_question: float = Field(
        default=0.7, gt=0, le=1, description="questions with this share of their words in common are flagged as similar"
    )
    similar_meaning: float = Field(
        default=0.85, gt=0, le=1, description="questions whose vectors have this cosine are flagged as similar"
    )
    same_meaning: float = Field(
        default=0.95,
        gt=0,
        le=1,
        description="questions whose vectors have this cosine, and that differ in word endings only, are one",
    )
    candidates_per_word: int = Field(
        default=64, ge=1, description="a question is compared with so many earlier ones under each of its rare words"
    )
    corpus_overlap: float = Field(
        default=0.7,
        gt=0,
        le=1,
        description="a question to be refused whose words stand to this share in one passage is answered there"
        " (rare words count more)",
    )
    corpus_meaning: float = Field(
        default=0.7,
        gt=0,
        le=1,
        description="a question to be refused this close (cosine) to a sentence of the documents is doubtful",
    )

    quote_alike: float = Field(
        default=90,
        ge=70,
        le=100,
        description="a quote this alike (0 to 100, partial ratio) to words of its passage stands for them, flagged",
    )

    novelty: float = Field(
        default=0.7, gt=0, le=1, description="a made-up task this like an earlier one (ROUGE-L of the two) is none"
    )
    support_words: float = Field(
        default=0.7,
        gt=0,
        le=1,
        description="of an answer's words, by rarity, in the passage: from here it is supported",
    )
    support_chance: float = Field(
        default=0.007,
        gt=0,
        lt=0.5,
        description="supported by meaning is an answer whose passage stands out as this share of shuffled pairs does",
    )
    support_others: int = Field(default=100, ge=10, description="other passages that a passage is compared with")

    retold_words: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="an answer in another voice that holds this share of its parent's words, those of the question"
        " left out, has lost nothing",
    )
    retold_meaning: float = Field(
        default=0.8, gt=0, le=1, description="and so has one that comes this close to it (cosine) in other words"
    )

    @field_validator("question_words", "answer_words")
    @classmethod
    def _ascending(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 0 < value[0] <= value[1]:
            raise ValueError("expected [smallest, largest], both above 0")
        return value


class Decontamination(Section):
    """Texts that the student will be examined on elsewhere; no record may hold them."""

    files: tuple[str, ...] = Field(
        min_length=1, description="relative to the recipe: .jsonl, of which every text counts, or plain text"
    )
    words_in_a_row: int = Field(default=13, ge=5, description="so many in common with one of the texts are too many")
    similar_meaning: float = Field(default=0.85, gt=0, le=1, description="cosine from which a question is flagged")
    same_meaning: float = Field(default=0.95, gt=0, le=1, description="cosine from which a question is rejected")


class Diversity(Section):
    """From where on the variety of the whole dataset is warned about."""

    least: int = Field(default=50, ge=1, description="questions or answers below which their patterns say nothing")
    opening_share: float = Field(default=0.1, gt=0, le=1, description="of texts, may begin with the same three words")
    phrase_share: float = Field(default=0.1, gt=0, le=1, description="of answers, may hold the same four words")
    length_ratio: float = Field(
        default=1.5, ge=1, description="the longest texts have at least so many times the words of the shortest"
    )
    silent_passages: float = Field(default=0.2, ge=0, le=1, description="of passages, may bring no question at all")


class Meaning(Section):
    """Sentence embeddings, for what words alone do not settle."""

    enabled: bool = Field(
        default=True, description="false: nothing is compared by meaning, and what words leave open is flagged"
    )
    model: str = Field(
        default="",
        description="a folder beside the recipe or a name on the hub; empty means all-MiniLM-L6-v2, for English only",
    )


class Judge(Section):
    """A second opinion on answers that the checks leave in doubt. Without this section they are flagged."""

    model: str = Field(
        default="", description="name the endpoint knows; empty means the drafter's, with a prompt of its own"
    )
    base_url: str = Field(default="", description="root of its endpoint; empty means the drafter's")
    usd_per_million: tuple[float, float] | None = Field(
        default=None, description="price of a million tokens [read, written]; empty means prices.yaml"
    )
    seeds: int = Field(default=12, ge=3, description="answers spoilt on purpose, and as many sound ones, put to it")
    trust: float = Field(
        default=0.8, gt=0.5, le=1, description="of both it must tell this share, or its verdicts are not used"
    )


class Review(Section):
    """What a person's review decides about what is published."""

    mode: Literal["optional", "required"] = Field(
        default="optional",
        description="required: only what a person keeps in so many words, or edits, is published; optional: all but"
        " what a person drops",
    )
    sample: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="of the records, is laid before a person; the share that is kept of them is extrapolated",
    )

    @model_validator(mode="after")
    def _what_is_required_is_laid(self) -> Review:
        if self.mode == "required" and self.sample < 1:
            raise ValueError("expected mode: optional with a sample:, for what is never laid can never be kept")
        return self


class Split(Section):
    """Which share of what is held out. The assignment is a stable hash: no later batch moves a row."""

    unseen: float = Field(default=0.1, ge=0, lt=1, description="of passages, and of a persona's questions")
    rephrased: float = Field(default=0.125, ge=0, lt=1, description="of wordings of trained facts")
    off_topic: float = Field(default=0.2, ge=0, lt=1, description="of fields")
    near_topic: float = Field(default=0.25, ge=0, lt=1, description="of near-topic fields, and of false premises")
    salt: str = Field(default="coursework", description="another word here is another split")


class Typos(Section):
    """Questions that stand in the dataset a second time, with a typing slip, beside the question itself."""

    train: float = Field(default=0.1, ge=0, le=1, description="of the trained questions")
    slices: float = Field(default=0.1, ge=0, le=1, description="of the questions of each slice")


def _settings() -> dict[str, Any]:
    """A field for each drafter of the registry; what it may say stands in the drafter's own file."""
    return {name: (import_module(line.home).Settings | None, None) for name, line in DRAFTERS.items()}


if TYPE_CHECKING:
    Drafters = Section
else:
    Drafters = create_model("Drafters", __base__=Section, __doc__="Drafters beside the three above.", **_settings())


class Recipe(Section):
    """All there is to say about one dataset."""

    name: str = Field(pattern=f"^{_NAME}$", description="names the folder under outputs/")
    language: str = Field(
        default="en",
        pattern=r"^[a-z]{2,3}$",
        description="ISO 639-1; questions and answers are checked to be in it, and the card says so",
    )
    teacher: Teacher = Teacher()
    budget: Budget = Budget()
    documents: Documents | None = None
    persona: Persona | None = None
    refusals: Refusals | None = None
    drafters: Drafters = Field(default=Drafters(), description="more kinds of data, each by its name")
    licence: str = Field(
        default="",
        description="SPDX id under which you give what is drafted; empty: the card leaves it open. Mind the licence of"
        " the documents and the terms of the teacher",
    )
    mix: Mix | None = Field(default=None, description="sets that others made, trained beside what is drafted")
    checks: Checks = Checks()
    decontamination: Decontamination | None = None
    diversity: Diversity = Diversity()
    meaning: Meaning = Meaning()
    judge: Judge | None = None
    review: Review = Review()
    split: Split = Split()
    typos: Typos = Typos()
    prompt_format: str = Field(default="Question: {question}\nAnswer:", description="how a question becomes a prompt")
    context_format: str = Field(
        default="{context}\n\n{prompt}", description="how what is shown with a question stands before its prompt"
    )
    student: dict[str, Any] = Field(default_factory=dict, description="only train/ reads this; it checks it too")

    @field_validator("licence")
    @classmethod
    def _has_its_spdx_name(cls, value: str) -> str:
        return spdx(value) if value else ""

    @field_validator("prompt_format")
    @classmethod
    def _holds_the_question_once(cls, value: str) -> str:
        names = [name for _, name, _, _ in string.Formatter().parse(value) if name is not None]
        if names != ["question"] or value != value.rstrip():
            raise ValueError("expected one {question} and no blank at the end")
        return value

    @field_validator("context_format")
    @classmethod
    def _holds_context_and_prompt_once(cls, value: str) -> str:
        names = [name for _, name, _, _ in string.Formatter().parse(value) if name is not None]
        if names != ["context", "prompt"] or not value.endswith("{prompt}"):
            raise ValueError("expected {context}, then {prompt} at the end")
        return value

    @property
    def wanted(self) -> dict[str, Any]:
        """The settings of each drafter under `drafters:` that the recipe asks for, in the order of the registry."""
        named = ((name, getattr(self.drafters, name)) for name in DRAFTERS)
        return {name: settings for name, settings in named if settings is not None}

    @model_validator(mode="after")
    def _is_not_mixed_where_all_is_reviewed(self) -> Recipe:
        if self.mix and self.review.mode == "required":
            raise ValueError(
                "expected review.mode: optional with a mix:, for of a set only a sample is laid before a person"
            )
        return self

    @model_validator(mode="after")
    def _leaves_room_for_its_own(self) -> Recipe:
        refused = self.refusals.share if self.refusals else 0
        if self.mix and self.mix.share is not None and self.mix.share + refused >= 1:
            raise ValueError(
                f"mix.share: {self.mix.share:g} of train.jsonl beside refusals.share {refused:g} leaves nothing to what"
                " is drafted"
            )
        return self

    @model_validator(mode="after")
    def _asks_for_something(self) -> Recipe:
        if self.documents is None and self.persona is None and not self.wanted:
            raise ValueError(
                "expected a documents:, a persona: or a drafters: section, for there is nothing to draft from"
            )
        banks = (
            (self.refusals.off_topic, self.refusals.near_topic, self.refusals.false_premise) if self.refusals else ()
        )
        if self.refusals and not any(bank.fields for bank in banks):
            raise ValueError(
                "refusals: needs fields under off_topic:, near_topic: or false_premise:, or leave the section out"
            )
        return self


class Loaded(Section):
    """A recipe with the place it was read from; relative paths in it start at `folder`."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    recipe: Recipe
    path: Path
    sha256: str

    @property
    def folder(self) -> Path:
        """Where relative paths in the recipe start."""
        return self.path.parent

    @property
    def prices(self) -> Path | None:
        """The workspace's own prices.yaml, beside the recipes folder; None where it has none."""
        own = self.folder.parent / "prices.yaml"
        return own if own.exists() else None

    def template(self, name: str) -> Path:
        """A prompt template: the workspace's own beside the recipes folder, else the one shipped."""
        own = self.folder.parent / "prompts" / name
        return own if own.exists() else shipped() / "prompts" / name


def name_in(path: Path) -> str:
    """The name that a recipe gives, also one that is wrong elsewhere; empty if none can be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
    said = re.search(rf"""^name:[ \t]*(["']?)({_NAME})\1[ \t]*(#.*)?$""", text, re.MULTILINE)
    return said[2] if said else ""


def load_recipe(path: Path) -> Loaded:
    """Raises RecipeError naming every fault as `file:line: field: what was expected`."""
    recipe = read_yaml(path, Recipe)
    return Loaded(recipe=recipe, path=path.resolve(), sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def shipped() -> Path:
    """The folder that holds the prompts, personas, recipes and samples that come with the package."""
    packaged = Path(__file__).with_name("workspace")
    return packaged if packaged.is_dir() else Path(__file__).parent.parent
