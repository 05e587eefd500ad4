"""The demo: a bundled study with a batch drawn, kept in a folder and opened again."""

from pathlib import Path

from annotate.sampling import DrawRequest, draw
from data.errors import StudyError
from data.new_study import TRAJECTORIES, begin_bundled, finish_bundled
from data.store import Store
from data.store.batches import batch_names
from data.store.status import study_status
from data.study import TOML_NAME, Study, load_study


def ensure_demo(folder: Path, name: str) -> Study:
    """The demo study in `folder`, made where it is not there, finished where that was broken off."""
    if not (folder / TOML_NAME).exists():
        study = begin_bundled(folder, name).study
    elif (folder / TRAJECTORIES).exists():
        study = finish_bundled(folder).study
    else:
        raise StudyError(f"{folder} holds a study that is no demo.", "Found no bundled trajectories in it.", "Name another --dir.")
    with Store.open(study.database) as store:
        if not batch_names(store):
            draw(store, DrawRequest(size=study_status(store)["trajectories"], seed="demo"))
    return load_study(folder)
