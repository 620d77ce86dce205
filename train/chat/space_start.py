"""What the app.py of a Space calls: the chat page of one student, for everybody who finds it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

from train.chat.serving import LOOPBACK, PORT, need_gradio, open_door, serve, uploads_for_a_while
from train.chat.turns import open_chat
from train.student_json import FILE, read_student
from train.taught import Taught

TAUGHT = "taught.json"
STUDENT = "student"
FRAMED_BY = "https://huggingface.co"


def start(home: Path, hub: str = "") -> None:
    """Serves the student in `home`, its weights from the hub if they have a name there, until the Space is stopped.

    Where it does not run in a Space it is reached from this machine alone.
    """
    os.chdir(home)
    need_gradio()
    folder = _fetched(home / STUDENT, hub) if hub else home / STUDENT
    chat = open_chat(folder, taught=Taught.model_validate_json((home / TAUGHT).read_bytes()))
    in_a_space = "SPACE_ID" in os.environ
    with open_door(PORT if in_a_space else None, "0.0.0.0" if in_a_space else LOOPBACK) as door, uploads_for_a_while():
        from train.chat.page import build_page

        page = build_page(chat, None, deaf="")
        print(f"chat page: http://{LOOPBACK}:{door.getsockname()[1]}/", flush=True)  # noqa: T201 - a Space's log
        serve(page, door, FRAMED_BY if in_a_space else "'none'")


def _fetched(student: Path, name: str) -> Path:
    """A student's folder with the weights that `coursework push` laid on the hub under that name."""
    from huggingface_hub import snapshot_download

    folder = Path(mkdtemp(prefix="coursework-student-"))
    shutil.copyfile(student / FILE, folder / FILE)
    (folder / read_student(student).read_settings().place).symlink_to(snapshot_download(name), target_is_directory=True)
    return folder
