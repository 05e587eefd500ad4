"""The demo: a bundled study with a batch drawn, kept in a folder and opened again."""

from pathlib import Path

from annotate.sampling import DrawRequest, draw
from data.errors import StudyError
from data.new_study import TRAJECTORIES, begin_bundled, finish_bundled
from data.store import Store
from data.store.batches import batch_names
from data.store.status import study_status
from data.study import TOML_NAME, Study, load_study

DEFAULT = "toxic-proactivity"


def ensure_demo(folder: Path, name: str | None) -> Study:
    """The demo study in `folder`, made where it is not there; an import that was broken off is finished.

    `name`: a bundled study, or None for the one that is there already, else the default one.
    """
    if name is not None and (folder / TOML_NAME).exists() and name != load_study(folder).name:
        raise StudyError(
            f"{folder} holds another study than {name!r}.",
            f"Found {load_study(folder).name!r}.",
            "Name another --dir for this one.",
        )
    if not (folder / TOML_NAME).exists():
        study = begin_bundled(folder, name or DEFAULT).study
    elif (folder / TRAJECTORIES).exists():
        study = finish_bundled(folder).study
    else:
        raise StudyError(f"{folder} holds a study that is no demo.", "Found no bundled trajectories in it.", "Name another --dir.")
    with Store.open(study.database) as store:
        if not batch_names(store):
            draw(store, DrawRequest(size=study_status(store)["trajectories"], seed="demo"))
    return load_study(folder)
