"""What can go wrong, ordered by who can act on it.

    CourseworkError                70  a bug of ours (anything unexpected ends here too)
    ├── UsageError                  2  the command line: whoever typed it
    ├── InputError                 65  documents, sheets, datasets: whoever supplied them
    ├── TeacherError               69  the endpoint: whoever runs it or holds the key
    │   └── KeyRefused             69
    ├── CannotWrite                73  disk, permissions: whoever runs the machine
    ├── TryAgainLater              75  nobody has to act: the next run goes on
    ├── RecipeError                78  the recipe: whoever wrote it
    └── Interrupted               130  Ctrl-C: whoever pressed it

An error is a small letter: what was found and where, what it would have caused, what to do.
"""

from __future__ import annotations

EXIT_CODES = {
    0: "done, also if there was nothing new or a batch was sent",
    2: "the command line is wrong",
    65: "a document, sheet or dataset cannot be used, or nothing is left of them",
    69: "the teacher cannot be reached or refuses the key",
    70: "a bug of ours; the line names the file with the traceback",
    73: "a file cannot be written",
    75: "try again later: lock, budget, deadline, signal, or requests lack replies",
    78: "the recipe is wrong; every fault is named by file, line and field",
    130: "interrupted",
}
"""What the command ends with: the table of the README and of `coursework --help`."""


class CourseworkError(Exception):
    """The root. `exit_code` is what the command ends with; `remedy` says what to do.

    `cause` names the kind of trouble in a word for a machine, where the class alone says too little.
    """

    exit_code = 70
    cause = "bug"

    def __init__(self, problem: str, *, remedy: str = "", cause: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.cause = cause or type(self).cause

    def flatten(self, *more: str) -> None:
        """Make it one line, for whoever reads a line a night; `more` is said after it."""
        self.problem = " ".join(self.problem.splitlines())
        self.remedy = " ".join((*self.remedy.splitlines(), *more))

    def __str__(self) -> str:
        return f"{self.problem} {self.remedy}".strip()


class UsageError(CourseworkError):
    """The command line asks for something that cannot be."""

    exit_code = 2
    cause = "usage"


class InputError(CourseworkError):
    """A document, sheet or dataset cannot be used as it is, or nothing usable is left."""

    exit_code = 65
    cause = "bad_input"


class TeacherError(CourseworkError):
    """The teacher cannot be reached, or will not answer any request of this kind."""

    exit_code = 69
    cause = "no_teacher"


class KeyRefused(TeacherError):
    """The endpoint refuses the key, the account or the model; asking again cannot help."""

    cause = "key_refused"


class CannotWrite(CourseworkError):
    """A file could not be written; what was already there is whole."""

    exit_code = 73
    cause = "cannot_write"


class TryAgainLater(CourseworkError):
    """Locked, out of budget or stopped: nothing is lost and the next run goes on."""

    exit_code = 75
    cause = "try_again_later"


class RecipeError(CourseworkError):
    """The recipe says something that cannot be; every fault is named with its line."""

    exit_code = 78
    cause = "recipe"


class Interrupted(CourseworkError):
    """A person pressed Ctrl-C; what had come is kept."""

    exit_code = 130
    cause = "interrupted"
