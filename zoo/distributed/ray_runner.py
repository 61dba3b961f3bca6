"""The Ray runner: images are divided into shards, and each is computed on some machine of a cluster.

Ray (Moritz et al., "Ray: A Distributed Framework for Emerging AI Applications", 2018) decides where and when, and
retries a shard whose process or machine fails. A shard appears under its name when it is complete
(:mod:`zoo.distributed.shard_folder`), so that one that is computed twice exists once.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from zoo import engines
from zoo.core.errors import ImageError, UnavailableError, UsageError, ZooError
from zoo.core.hardware import processors
from zoo.distributed import ray_cluster, shard_folder
from zoo.distributed.shard_task import ShardJob, ShardResult, compute_shard
from zoo.engines import devices
from zoo.images import inputs
from zoo.images.source import Source
from zoo.inference.feature_file import Watcher, attributes
from zoo.inference.features import Extractor
from zoo.vectors import Mode, Written
from zoo.vectors.formats.shards import Shard

log = logging.getLogger(__name__)

#: How often Ray retries a shard.
RETRIES = 3


@dataclass(frozen=True)
class RayRunner:
    """Computes feature vectors on a Ray cluster; a :class:`zoo.inference.feature_file.Runner`.

    Attributes:
        address: of the cluster, in Ray's form: ``"auto"``, ``"HOST:6379"`` or ``"ray://HOST:10001"``; if omitted,
            ``$RAY_ADDRESS``, else a cluster on this machine alone.
        shard_size: images in a shard; default: :data:`zoo.distributed.shard_folder.SHARD_SIZE`.
        cpus_per_task: processors that compute a shard; default: the greatest number up to
            :data:`zoo.distributed.ray_cluster.MAX_CPUS` that divides those of every machine.
        device: of every task: ``"auto"``, ``"cpu"`` or ``"gpu"``, with which Ray assigns a GPU to each task.
    """

    address: str | None = None
    shard_size: int | None = None
    cpus_per_task: int | None = None
    device: str = "auto"

    def write(
        self,
        images: inputs.Inputs,
        target: str | os.PathLike[str],
        extractor: Extractor,
        *,
        mode: Mode = "new",
        watcher: Watcher | None = None,
    ) -> Written:
        """Write the vectors of images to a folder of shards, in order; see :func:`zoo.inference.feature_file.write`.

        Args:
            images: paths, folders, URLs, or sources; no arrays.
            target: the folder, which all machines share.
            extractor: describes the vectors; where it runs does not matter.
            mode: as there, without ``"update"``.
            watcher: called for each image when its shard is complete.

        Raises:
            UsageError: the folder exists, or another network made it; or there is no such layer.
            UnavailableError: there is no such cluster; or a machine lacks the network, a device, the images or the
                folder; or it cannot be written; or a shard failed several times.
        """
        if self.device not in ("auto", "cpu", "gpu"):
            raise UsageError(f"Expected --device auto, cpu or gpu with --runner ray. Received: {self.device}")
        ray = ray_cluster.load()
        address = self.address or os.environ.get("RAY_ADDRESS")
        here = processors()
        if address is None and self.cpus_per_task is not None and self.cpus_per_task > here:
            raise UsageError(f"This machine has {here} processors for a task. Received: {self.cpus_per_task}")
        running = {**extractor.running, "device": self.device}
        about = attributes(extractor, target, mode)
        with shard_folder.opened(target, about, mode=mode, size=self.shard_size) as shards:
            if isinstance(shards, Written):
                return shards
            if self.device != "gpu":
                # Here and not in every process at once, and a wrong layer is found before everything else.
                cpu = devices.select("cpu")
                engines.compile_ahead(extractor.spec, extractor.choice.weights, cpu, engine=str(running["engine"]))
            done: dict[int, tuple[Shard, tuple[int, ...]]] = {}
            with ray_cluster.connected(ray, address):
                cpus = self.cpus_per_task or ray_cluster.default_cpus(ray)
                log.info("%s by Ray, %s", extractor.spec.name, ray_cluster.describe(ray, cpus))
                job = ShardJob(about, {**running, "threads": cpus}, str(shards.work), str(shards.parts))
                batches = enumerate(_batches(inputs.stream(images), shards.size))
                with contextlib.closing(self._results(ray, job, batches, cpus)) as results:
                    for number, batch, result in results:
                        _check_seen(result, job)
                        for text in result.warnings:
                            log.warning("%s", text)
                        if result.new and watcher is not None:
                            _report(watcher, batch, result)
                        done[number] = result.shard, result.shape
            made = [done[number] for number in sorted(done)]
            shape = next((shape for shard, shape in made if shard.rows), (0,))
            return shards.finish([shard for shard, _ in made], shape)

    def _results(
        self, ray: Any, job: ShardJob, batches: Iterator[tuple[int, list[Source]]], cpus: int
    ) -> Generator[tuple[int, list[Source], ShardResult]]:
        """Every shard when it is done. Twice as many tasks are submitted as can run at a time."""
        gpus = 1 if self.device == "gpu" else 0
        task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=RETRIES)(compute_shard)
        shared = ray.put(job)
        tasks: dict[Any, tuple[int, list[Source]]] = {}
        if not ray_cluster.slots(ray, cpus, gpus):
            # The cluster may grow, and Ray waits until it does.
            what = f"{cpus} processors" + (" and a GPU" if gpus else "")
            log.warning("no machine of the cluster has %s; waiting for one", what)
        try:
            while True:
                room = 2 * max(1, ray_cluster.slots(ray, cpus, gpus)) - len(tasks)
                for number, batch in islice(batches, max(0, room)):
                    tasks[task.remote(shared, shard_folder.file_name(number), batch)] = number, batch
                if not tasks:
                    return
                (ready,), _ = ray.wait(list(tasks), num_returns=1)
                number, batch = tasks.pop(ready)
                yield number, batch, _result(ray, ready, batch)
        finally:
            for pending in tasks:
                ray.cancel(pending, force=True)


def _batches(sources: Iterator[Source], size: int) -> Iterator[list[Source]]:
    """The inputs of each shard; arrays exist in this process alone and are refused."""
    while batch := list(islice(sources, size)):
        for source in batch:
            if source.kind not in ("file", "url"):
                raise UsageError(f"--runner ray takes files and URLs. Received: {source.path} ({source.kind})")
        yield batch


def _result(ray: Any, reference: Any, batch: Sequence[Source]) -> ShardResult:
    """The result of a task, or its error as zoo reports it."""
    try:
        done: ShardResult = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ZooError):
            raise error.cause from None
        if isinstance(error.cause, ImportError) or "ModuleNotFoundError" in str(error):
            raise UnavailableError(
                f"A machine of the cluster cannot run zoo ({str(error).strip().splitlines()[-1]}); "
                "install the same version there with pip install 'keras-zoo[ray]'."
            ) from error
        raise
    except ray.exceptions.RayError as error:
        images = batch[0].path if len(batch) == 1 else f"{batch[0].path} to {batch[-1].path}"
        raise UnavailableError(
            f"The shard of {images} was tried {RETRIES + 1} times, and its process ended each time "
            f"({type(error).__name__}); complete shards are kept: use --resume to continue."
        ) from error
    return done


def _check_seen(done: ShardResult, job: ShardJob) -> None:
    """Check that a file that was missing on a machine is missing here too; else the machine lacks it."""
    for path in done.unseen:
        if done.new and os.path.exists(path):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(job.parts, done.shard.file))
            raise UnavailableError(
                f"{path} exists here, but not on {done.host}; put the images on a file system that all machines share, "
                "and use --resume to continue."
            )


def _report(watcher: Watcher, batch: Sequence[Source], done: ShardResult) -> None:
    """Call the watcher for the images of a shard one by one, in order."""
    failed = deque(done.failed)
    for source in batch:
        here = failed and failed[0][0] == source.path
        watcher(source, ImageError(failed.popleft()[1]) if here else None)
