"""Vectors by many machines: the images are cut into shards, and Ray makes each of them somewhere.

Ray (Moritz et al., "Ray: A Distributed Framework for Emerging AI Applications", 2018) decides where and when, and tries
a shard again whose process or machine is gone. A shard appears under its name when it is whole
(:mod:`zoo.distributed.sharding`), so that one that is made twice is there once.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from zoo import engines
from zoo.core.errors import ImageError, UnavailableError, UsageError, ZooError
from zoo.core.hardware import processors
from zoo.distributed import cluster, sharding
from zoo.distributed.task import Done, Job, make
from zoo.engines import compiled, devices
from zoo.images import inputs
from zoo.images.sources import Source
from zoo.inference.extract import Watcher
from zoo.inference.features import Extractor
from zoo.vectors import Mode, Written
from zoo.vectors.formats.shards import Shard

log = logging.getLogger(__name__)

#: How often Ray tries a shard again.
RETRIES = 3


@dataclass(frozen=True)
class RayRunner:
    """Makes vectors on a Ray cluster.

    Attributes:
        address: of the cluster, as Ray has it: ``"auto"``, ``"HOST:6379"`` or ``"ray://HOST:10001"``; without,
            ``$RAY_ADDRESS``, else this machine alone is one.
        shard_size: images of a shard; :data:`zoo.distributed.sharding.SIZE` without.
        cpus_per_task: processors that compute a shard; without, the greatest number up to
            :data:`zoo.distributed.cluster.MOST_CPUS` that divides those of every machine.
        device: of every task: ``"auto"``, ``"cpu"`` or ``"gpu"``, which has Ray give each task a GPU.
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
        """Write the vectors of images to a folder of shards, in order.

        Args:
            images: paths, folders, addresses, or sources; no arrays.
            target: the folder, which all machines share.
            extractor: says what the vectors are of; what it runs on does not matter.
            mode: ``"new"``; ``"resume"`` goes on with what was interrupted; ``"overwrite"`` replaces a folder.
            watcher: told of each image that is done, when its shard is whole.

        Raises:
            UsageError: the folder exists, or another network made it; or there is no such layer.
            UnavailableError: there is no such cluster; or a machine lacks the network, a device, the images or the
                folder; or it cannot be written; or a shard was tried several times in vain.
        """
        if self.device not in ("auto", "cpu", "gpu"):
            raise UsageError(
                f"--runner ray takes --device auto, cpu or gpu, of its own choice. Received: {self.device}"
            )
        ray = cluster.load()
        address = self.address or os.environ.get("RAY_ADDRESS")
        here = processors()
        if address is None and self.cpus_per_task is not None and self.cpus_per_task > here:
            raise UsageError(f"This machine has {here} processors for a task. Received: {self.cpus_per_task}")
        running = {**extractor.running, "device": self.device}
        with sharding.making(target, extractor.about, mode=mode, size=self.shard_size) as shards:
            if isinstance(shards, Written):
                return shards
            _compile(extractor, running)
            done: dict[int, tuple[Shard, tuple[int, ...]]] = {}
            with cluster.connected(ray, address):
                cpus = self.cpus_per_task or cluster.usual_cpus(ray)
                log.info("%s by Ray, %s", extractor.spec.name, cluster.described(ray, cpus))
                job = Job(extractor.about, {**running, "threads": cpus}, str(shards.work), str(shards.parts))
                batches = enumerate(_batches(inputs.stream(images), shards.size))
                with contextlib.closing(self._results(ray, job, batches, cpus)) as results:
                    for number, batch, result in results:
                        _check_seen(result, job)
                        for text in result.warnings:
                            log.warning("%s", text)
                        if result.new and watcher is not None:
                            _tell(watcher, batch, result)
                        done[number] = result.shard, result.shape
            made = [done[number] for number in sorted(done)]
            shape = next((shape for shard, shape in made if shard.rows), (0,))
            return shards.finish([shard for shard, _ in made], shape)

    def _results(
        self, ray: Any, job: Job, batches: Iterator[tuple[int, list[Source]]], cpus: int
    ) -> Generator[tuple[int, list[Source], Done]]:
        """Every shard when it is done. There are twice as many tasks at a time as can run."""
        gpus = 1 if self.device == "gpu" else 0
        task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=RETRIES)(make)
        shared = ray.put(job)
        tasks: dict[Any, tuple[int, list[Source]]] = {}
        if not cluster.slots(ray, cpus, gpus):
            # It may grow, and Ray waits until it does.
            what = f"{cpus} processors" + (" and a GPU" if gpus else "")
            log.warning("no machine of the cluster has %s; waiting for one", what)
        try:
            while True:
                room = 2 * max(1, cluster.slots(ray, cpus, gpus)) - len(tasks)
                for number, batch in islice(batches, max(0, room)):
                    tasks[task.remote(shared, sharding.name(number), batch)] = number, batch
                if not tasks:
                    return
                (ready,), _ = ray.wait(list(tasks), num_returns=1)
                number, batch = tasks.pop(ready)
                yield number, batch, _result(ray, ready, batch)
        finally:
            for pending in tasks:
                ray.cancel(pending, force=True)


def _compile(extractor: Extractor, running: dict[str, Any]) -> None:
    """Compile here what is not compiled yet: not in every process at once, and a wrong layer is known before it all.

    Raises:
        UsageError: the network has no such layer.
        UnavailableError: it cannot be compiled, and nothing else is to run it.
    """
    cpu = devices.select("cpu")
    if running["device"] == "gpu" or engines.choose(running["engine"], extractor.spec, cpu) != "openvino":
        return
    try:
        compiled.ensure(extractor.spec, extractor.choice.weights)
    except UnavailableError:
        if running["engine"] != "auto":
            raise


def _batches(sources: Iterator[Source], size: int) -> Iterator[list[Source]]:
    """The inputs of each shard.

    Raises:
        UsageError: one of them is in this process alone.
    """
    while batch := list(islice(sources, size)):
        for source in batch:
            if source.kind not in ("file", "url"):
                raise UsageError(f"--runner ray takes files and addresses. Received: {source.path} ({source.kind})")
        yield batch


def _result(ray: Any, reference: Any, batch: Sequence[Source]) -> Done:
    """What became of a task.

    Raises:
        ZooError: as the task raised it.
        UnavailableError: Ray has given it up, or the machines cannot run zoo.
    """
    try:
        done: Done = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ZooError):
            raise error.cause from None
        if isinstance(error.cause, ImportError) or "ModuleNotFoundError" in str(error):
            raise UnavailableError(
                f"A machine of the cluster cannot run zoo ({str(error).strip().splitlines()[-1]}); "
                "pip install 'keras-zoo[ray]' of the same version there."
            ) from error
        raise
    except ray.exceptions.RayError as error:
        images = batch[0].path if len(batch) == 1 else f"{batch[0].path} to {batch[-1].path}"
        raise UnavailableError(
            f"The shard of {images} was tried {RETRIES + 1} times, and its process ended each time "
            f"({type(error).__name__}); what is done is kept: --resume goes on."
        ) from error
    return done


def _check_seen(done: Done, job: Job) -> None:
    """See that a file that was missing on a machine is missing here too; else it is the machine that lacks it.

    Raises:
        UnavailableError: it is here.
    """
    for path in done.unseen:
        if done.new and os.path.exists(path):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(job.parts, done.shard.file))
            raise UnavailableError(
                f"{path} is here, and not on {done.host}; images must be on a file system that all machines share: "
                "see to that, and --resume goes on."
            )


def _tell(watcher: Watcher, batch: Sequence[Source], done: Done) -> None:
    """Name the images of a shard one by one, in order."""
    failed = iter([*done.failed, None])
    failure = next(failed)
    for source in batch:
        if failure is not None and source.path == failure[0]:
            watcher(source, ImageError(failure[1]))
            failure = next(failed)
        else:
            watcher(source, None)
