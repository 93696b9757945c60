"""The verb that trains and compares: its options."""

from tessera.cli.options import (
    AddressOption,
    DataOption,
    EngineOption,
    EpochsOption,
    ExperimentFile,
    FoldsOption,
    GpusOption,
    GroupsOption,
    JobsOption,
    ModelsOption,
    OutOption,
    RemediesOption,
    SeedsOption,
    SeedsTogetherOption,
    SetOption,
    StartOption,
    ThreadsOption,
)


def study(
    experiment: ExperimentFile = None,
    data: DataOption = None,
    epochs: EpochsOption = None,
    seeds: SeedsOption = None,
    folds: FoldsOption = None,
    groups: GroupsOption = None,
    out: OutOption = None,
    remedies: RemediesOption = None,
    models: ModelsOption = None,
    start: StartOption = None,
    settings: SetOption = None,
    jobs: JobsOption = "auto",
    engine: EngineOption = "local",
    address: AddressOption = None,
    threads: ThreadsOption = None,
    gpus: GpusOption = None,
    seeds_together: SeedsTogetherOption = None,
) -> None:
    """Train and compare every model under every regime, over several seeds.

    Stop it with Ctrl-C whenever you like: the same command continues where it stopped,
    and a finished run is never repeated. It ends with the path of the report.

        tessera study --data photos --epochs 40 --seeds 5 --out runs/photos

        tessera study --data photos --remedies all

        tessera study --data photos --folds 5

        tessera study --data photos --groups folder

        tessera study --data photos --models hybrid-plus --start runs/larger

        tessera study experiments/study.toml --data cifar10

        tessera study experiments/final.toml --engine ray --address auto
    """
    from tessera import choice, cross_validation, twins
    from tessera.cli import asked, commands
    from tessera.cli import engine as engines

    options = engines.options(engine, jobs, address, threads, gpus, seeds_together)
    chosen = asked.resolve(experiment, data, epochs, seeds, settings or [], groups)
    if folds is not None:
        chosen = cross_validation.divided(chosen, folds, "--folds")
    wanted = choice.remedies(remedies)
    alone = bool(wanted) and experiment is None
    narrowed = choice.narrowed(chosen, models, alone=alone)
    choice.require_kept(chosen, narrowed, settings or [])
    chosen = twins.beside(narrowed, start)
    place = choice.study_folder(out, chosen)
    commands.study(chosen, place, engine=options, remedies=wanted)
