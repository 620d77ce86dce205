"""What a chat is: a turn goes in, an answer comes out piece by piece."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from pipeline.errors import InputError
from train.chat.retrieval import Document
from train.generation import Answer, stream_answer
from train.generation import Generation as Rules
from train.progress import Say
from train.rendering import Rendering
from train.student_json import StudentFile, base_of, open_trained, read_student
from train.students import Student, looks_like_path, need_answering_stack
from train.taught import Taught, taught_by

QUIT = "/quit"
Side = Literal["student", "base"]


@dataclass(frozen=True)
class Turn:
    """What is put to a student: a question and all that stands around it."""

    question: str
    documents: tuple[Document, ...] = ()
    earlier: tuple[str, ...] = ()
    system: str | None = None
    """Instead of the system prompt that it was taught with."""

    @property
    def context(self) -> str:
        """What is shown with the question."""
        return "\n\n".join(document.text for document in self.documents)


class Voice(Protocol):
    """Whoever answers: a model in this process, or one behind an address."""

    def fitting(self, turn: Turn, rules: Rules) -> Turn:
        """The turn with as much of what stands around its question as there is room for."""
        ...

    def stream(self, turn: Turn, rules: Rules) -> Generator[str, None, Answer]:
        """The answer in pieces; whoever closes the generator stops it. Raises InputError if there can be none."""
        ...


@dataclass(frozen=True)
class Chat:
    """A student one can talk to, and what it was taught."""

    name: str
    origin: str
    """A sentence on where it comes from."""
    rendering: Rendering
    rules: Rules
    """Greedy, with room for the longest answer that was taught and a margin."""
    context: int
    """The most tokens that prompt and answer may have together."""
    voices: Mapping[Side, Voice]
    taught: Taught

    @property
    def system(self) -> str | None:
        """The system prompt that it was taught with; None where its prompts have no place for one."""
        return self.rendering.system if self.rendering.form == "chat" else None


class Model:
    """A voice in this process. The weights are read when they are first needed."""

    def __init__(self, folder: Path, base: bool = False) -> None:
        self._folder = folder
        self._base = base
        self._opened: Student | None = None

    def open(self) -> Student:
        """The model, read once."""
        if self._opened is None:
            self._opened = open_trained(self._folder, self._base)
        return self._opened

    def fitting(self, turn: Turn, rules: Rules) -> Turn:
        """The turn without what leaves no room for an answer: documents, the least fitting first, then old turns."""
        student = self.open()
        while (turn.documents or turn.earlier) and not _has_room(student, turn, rules):
            fewer = {"documents": turn.documents[:-1]} if turn.documents else {"earlier": turn.earlier[2:]}
            turn = replace(turn, **fewer)
        return turn

    def stream(self, turn: Turn, rules: Rules) -> Generator[str, None, Answer]:
        """The answer in pieces."""
        student = self.open()
        return (yield from stream_answer(_prompt(student, turn), student, rules))


def _has_room(student: Student, turn: Turn, rules: Rules) -> bool:
    return len(student.encode(_prompt(student, turn))) + rules.max_new_tokens <= student.context


def _prompt(student: Student, turn: Turn) -> str:
    if turn.system is not None:
        student = replace(student, rendering=student.asked.model_copy(update={"system": turn.system}))
    return student.prompt_of(turn.question, turn.context, turn.earlier)


def open_chat(folder: Path, server: str = "", base_server: str = "", taught: Taught | None = None) -> Chat:
    """A student and its base, in this process or where a llama.cpp server holds them.

    Raises InputError if the folder holds no student, UsageError if packages or the server are missing.
    """
    described = read_student(folder)
    voices: dict[Side, Voice] = {}
    if server:
        from train.chat.llama_server import LlamaServer

        voices["student"] = LlamaServer(server, described.rendering)
        if base_server:
            voices["base"] = LlamaServer(base_server, described.rendering)
    else:
        need_answering_stack()
        voices["student"] = student = Model(folder)
        student.open()
        if _base_is_there(folder, described):
            voices["base"] = Model(folder, base=True)
    settings = described.read_settings()
    return Chat(
        name=described.name,
        origin=f"Trained on `{described.dataset_name}` from `{settings.base}` (method {settings.method}).",
        rendering=described.rendering,
        rules=Rules.for_longest(described.fit.longest_answer),
        context=described.fit.context,
        voices=voices,
        taught=taught or taught_by(folder, described.dataset),
    )


def _base_is_there(folder: Path, described: StudentFile) -> bool:
    """Whether the base can be asked; one of the hub is taken to be there."""
    place = base_of(folder, described.read_settings())
    return not looks_like_path(place) or Path(place).expanduser().is_dir()


def chat_in_terminal(chat: Chat, side: Side, questions: Iterable[str], say: Say) -> None:
    """Answers each question as it stands alone, until /quit or the last one.

    A question that cannot be answered is said so and does not end the chat.
    """
    voice, rules = chat.voices[side], chat.rules
    for question in (line.strip() for line in questions):
        if question == QUIT:
            return
        if question:
            try:
                say(shown(Pieces(voice.stream(Turn(question), rules)).whole(), rules))
            except InputError as fault:
                say(str(fault))


class Pieces:
    """An answer on its way: iterated it gives its pieces, and then knows the whole. Closed early it ends."""

    def __init__(self, pieces: Generator[str, None, Answer]) -> None:
        self._pieces = pieces
        self.answer = Answer("", "limit")

    def __iter__(self) -> Iterator[str]:
        with closing(self._pieces):
            self.answer = yield from self._pieces

    def whole(self) -> Answer:
        """The answer, once it has come."""
        deque(self, maxlen=0)
        return self.answer


def shown(answer: Answer, rules: Rules) -> str:
    """An answer for a person, with what is to be said about it."""
    cut = "" if answer.stopped_by == "end" else f" (cut off after {rules.max_new_tokens} tokens)"
    return (legible(answer.text) or "(nothing)") + cut


def legible(text: str) -> str:
    """What a person may be shown: a byte-level model can say control characters, and some of them are commands."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)
