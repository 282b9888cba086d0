"""Joints found by any top-down network of MMPose: a configuration and its weights."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from posediff.annotate.estimators import Poses
from posediff.annotate.estimators.crops import usable
from posediff.errors import BadData, BadSetting, MissingDependency, PosediffError
from posediff.io.joints import named
from posediff.weights.checkpoints import load_weights, read_checkpoint, torch_device, weights_of
from posediff.weights.files import find, provenance, sha256_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from posediff.annotate.settings import Settings
    from posediff.skeletons import Skeleton

_OPERATIONS = "mmcv.ops"


class MmposeEstimator:
    """A top-down network of MMPose.

    Crops are MMPose's own, turned with the body. MMPose turns a crop but does not turn the joints back: that is done
    here.

    Attributes:
        skeleton: that of the network's joint names.
        provenance: back end, versions, device, names and SHA-256 of the configuration and the weights.
    """

    def __init__(
        self,
        config: str | Path,
        weights: str | Path,
        *,
        flip: bool | None = None,
        device: str = "auto",
        threads: int = 0,
    ) -> None:
        """Build a network and load its weights.

        Args:
            config: path of a configuration, or the name of one that comes with MMPose, for instance
                ``td-hm_res50_8xb64-210e_coco-256x192``. It is a Python program that is run: use what you trust.
            weights: path or address of its checkpoint, of which nothing is run.
            flip: look at the mirrored crop too and average, which takes twice the time; None as the configuration says.
            device: ``auto``, ``cpu`` or ``cuda``.
            threads: that torch uses in this process, 0 for its own choice.

        Raises:
            BadData: if a file is missing, or they do not belong together, or this is no top-down network.
            BadSetting: if there is no such device.
            MissingDependency: if mmpose is not installed.
            PosediffError: if mmpose cannot be imported.
        """
        import_mmpose()
        import torch
        from mmengine.dataset import Compose
        from mmpose.apis import init_model

        settings = _configuration(config)
        path = find(weights)
        checkpoint = read_checkpoint(path)
        target = torch_device(device)
        if threads:
            torch.set_num_threads(threads)
        try:
            if flip is not None:
                settings.model.setdefault("test_cfg", {})["flip_test"] = flip
            model = init_model(settings, None, device="cpu")
            pipeline = Compose(settings.test_dataloader.dataset.pipeline)
        except Exception as error:  # whatever a configuration asks for in vain
            raise _not_a_network(config, error) from None
        self._affine = next((step for step in pipeline.transforms if type(step).__name__ == "TopdownAffine"), None)
        if self._affine is None:
            raise BadData(f"{config}: is not of a top-down network", "give one whose pipeline has TopdownAffine")
        load_weights(model, weights_of(checkpoint, path), path)
        meta = checkpoint.get("meta")
        if isinstance(meta, dict) and isinstance(meta.get("dataset_meta"), dict):
            model.dataset_meta = meta["dataset_meta"]
        self._model, self._pipeline = model.to(target), pipeline
        chosen = (settings.model.get("test_cfg") or {}).get("output_keypoint_indices")
        self.skeleton = skeleton_of(model.dataset_meta, chosen)
        used = Path(settings.filename)
        self.provenance: dict[str, object] = {
            **_versions(),
            "device": target.type,
            **provenance(path),
            "config": used.name,
            "config_sha256": sha256_of(used),
        }

    def estimate(self, image: np.ndarray, boxes: np.ndarray, angles: np.ndarray) -> Poses:
        boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        count = len(self.skeleton.joints)
        keypoints = np.full((len(boxes), count, 2), np.nan, np.float32)
        scores = np.zeros((len(boxes), count), np.float32)
        good = np.flatnonzero(usable(boxes))
        if len(good):
            turns = np.asarray(angles, np.float64)[good]
            points, sure = self._infer(np.ascontiguousarray(image[:, :, ::-1]), boxes[good], turns)
            if points.shape[1] != count:
                raise BadData(
                    f"the network gives {points.shape[1]} joints and names {count}", "give the configuration it is of"
                )
            keypoints[good] = turned(points, (boxes[good, :2] + boxes[good, 2:]) / 2, turns)
            scores[good] = np.nan_to_num(np.clip(sure, 0, 1))
        keypoints[scores <= 0] = np.nan
        return Poses(keypoints, scores)

    def _infer(self, image: np.ndarray, boxes: np.ndarray, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What MMPose's ``inference_topdown`` does, with turned crops; the joints are not turned back."""
        import torch
        from mmengine.dataset import pseudo_collate
        from mmengine.registry import init_default_scope

        init_default_scope(self._model.cfg.get("default_scope", "mmpose"))
        # get_udp_warp_matrix turns the other way round than get_warp_matrix.
        sign = -1 if getattr(self._affine, "use_udp", False) else 1
        crops = [
            self._pipeline(
                {
                    **self._model.dataset_meta,
                    "img": image,
                    "bbox": box[None],
                    "bbox_score": np.ones(1, np.float32),
                    "bbox_rotation": np.array([sign * angle], np.float32),
                }
            )
            for box, angle in zip(boxes, angles, strict=True)
        ]
        with torch.no_grad():
            found = [sample.pred_instances for sample in self._model.test_step(pseudo_collate(crops))]
        points = np.concatenate([np.asarray(one.keypoints)[:1, :, :2] for one in found])
        return points, np.concatenate([np.asarray(one.keypoint_scores)[:1] for one in found])


def make(settings: Settings) -> MmposeEstimator:
    """The pose back end that the settings name, its weights loaded.

    Raises:
        BadSetting: if the settings name no configuration or no weights.
    """
    if not settings.config or not settings.weights:
        lacking = "configuration" if not settings.config else "weights"
        raise BadSetting(
            f"mmpose needs its {lacking}", "name a configuration (--config) and its checkpoint (--weights)"
        )
    return MmposeEstimator(settings.config, settings.weights, device=settings.device, threads=settings.threads)


def turned(points: np.ndarray, centres: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Joints turned about the centres of their boxes.

    Args:
        points: (P, J, 2) pixels, y downwards.
        centres: (P, 2) pixels.
        angles: (P,) degrees, clockwise as seen in the picture.

    Returns:
        (P, J, 2).
    """
    cosine, sine = np.cos(np.radians(angles)), np.sin(np.radians(angles))
    turn = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
    middle = np.asarray(centres)[:, None]
    return np.einsum("pij,pkj->pki", turn, points - middle) + middle


def skeleton_of(meta: dict[str, Any], chosen: Sequence[int] | None = None) -> Skeleton:
    """The skeleton that MMPose's description of a data set names.

    Args:
        meta: with ``keypoint_id2name``, ``skeleton_links`` and ``dataset_name``.
        chosen: numbers of the joints that the network gives, None for all.

    Raises:
        BadData: if the joints have no names.
    """
    names = meta.get("keypoint_id2name")
    if not isinstance(names, dict) or not names:
        raise BadData("the network does not name its joints", "give a configuration or a checkpoint that does")
    joints = {int(number): str(name) for number, name in names.items()}
    kept = [joints[number] for number in (sorted(joints) if chosen is None else chosen)]
    links = [(joints[int(one)], joints[int(other)]) for one, other in meta.get("skeleton_links") or ()]
    bones = [link for link in links if link[0] in kept and link[1] in kept]
    return named(kept, bones=bones, name=str(meta.get("dataset_name") or "custom"))


def import_mmpose() -> None:
    """Import mmpose, with a placeholder for mmcv's compiled operations where they are not installed.

    mmpose and mmdet import names from ``mmcv.ops``, which mmcv-lite lacks, for networks that most people do not use.
    Every name of the placeholder is a class that raises when it is used.

    Raises:
        MissingDependency: if mmpose is not installed.
        PosediffError: if it cannot be imported.
    """
    mmcv = importlib.util.find_spec("mmcv")
    if importlib.util.find_spec("mmpose") is None or mmcv is None:
        missing = MissingDependency("mmpose", "mmpose", "this pose back end")
        missing.hint = "posediff doctor shows the commands: the extra alone cannot build chumpy, which mmpose declares"
        raise missing
    compiled = any(any(Path(folder).glob("_ext.*")) for folder in mmcv.submodule_search_locations or ())
    if not compiled and not any(isinstance(finder, _Placeholders) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Placeholders())  # first: mmcv-lite has the Python part of the operations
    try:
        import mmpose.apis  # noqa: F401
    except Exception as error:
        raise PosediffError(
            f"mmpose cannot be imported ({type(error).__name__}: {error})", "see posediff doctor for what it needs"
        ) from None


class _Placeholders(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes ``mmcv.ops`` and every module in it."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        ours = fullname == _OPERATIONS or fullname.startswith(f"{_OPERATIONS}.")
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True) if ours else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Placeholder(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


class _Placeholder(ModuleType):
    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)

        def fail(*_: Any, **__: Any) -> None:
            raise PosediffError(
                f"this network needs {self.__name__}.{name}, which mmcv-lite lacks",
                "choose another network, or install the full mmcv",
            )

        return type(name, (), {"__init__": fail, "__module__": self.__name__})


def _configuration(config: str | Path) -> Any:
    """A configuration by its path, or by its name among those that come with MMPose."""
    import mmpose
    from mmengine.config import Config

    path = Path(config).expanduser()
    if not path.is_file():
        shipped = Path(mmpose.__file__).parent / ".mim" / "configs"
        found = sorted(shipped.rglob(f"{Path(config).stem if path.suffix == '.py' else path.name}.py"))
        if path.parent != Path() or not found:
            raise BadData(
                f"{config}: no such configuration", "give the path of a configuration, or the name of MMPose's"
            )
        path = found[0]
    try:
        return Config.fromfile(path)
    except Exception as error:
        raise _not_a_network(config, error) from None


def _not_a_network(config: str | Path, error: Exception) -> PosediffError:
    if isinstance(error, PosediffError):
        return error
    reason = f"{type(error).__name__}: {str(error).strip().splitlines()[-1] if str(error).strip() else ''}"
    return BadData(
        f"{config}: cannot be built ({reason})", "give the configuration of a top-down network of MMPose 1.x"
    )


def _versions() -> dict[str, object]:
    import mmpose
    import torch

    return {"pose": "mmpose", "version": mmpose.__version__, "torch": torch.__version__}
