namespace Verified.Spec.Rules

/// Version counters, and what operators keep.
[<RequireQualifiedAccess>]
module Versions =
    let writesCount =
        rule "versions/writes-count" "Every write in place raises the tensor's version by one." "Versions stay at zero."

    let keptIsChecked =
        rule
            "versions/kept-is-checked"
            "What an operator kept must have the version that it had, when backward needs it; else that is an error."
            "Backward computes with what is there now."

    let onlyWhatIsKeptIsChecked =
        rule
            "versions/only-what-is-kept-is-checked"
            "An operator keeps only what its derivative reads; everything else may be written to."
            "An operator keeps all its arguments and results."

    let keptOnlyWhereNeeded =
        rule
            "versions/kept-only-where-needed"
            "An operator keeps an argument only if the gradient that reads it is wanted: `x * w` keeps `x` only if `w` requires a gradient."
            "It keeps it anyway."

    let viewsShareTheCounter =
        rule
            "versions/views-share-the-counter"
            "A base and all its views have one version counter: a write to any element through any of them counts for all."
            "Each view counts its own writes."

    let detachSharesTheCounter =
        rule
            "versions/detach-shares-the-counter"
            "`detach` shares the version counter: a write to its result is seen by who kept the original."
            "It has a counter of its own."

    let dataHasItsOwnCounter =
        rule
            "versions/data-has-its-own-counter"
            "`data` shares the memory but not the version counter: a write through it goes unnoticed."
            "It shares the counter."

    let writesCountInEveryMode =
        rule "versions/writes-count-in-every-mode" "Writes under `no_grad` count." "Only recorded writes count."

    let accumulationCounts =
        rule
            "versions/accumulation-counts"
            "A backward that adds to a gradient in place writes to it: who kept the gradient sees it."
            "It does not count."

    let aWriteKeepsWhatWasThere =
        rule
            "versions/a-write-keeps-what-was-there"
            "An operator in place whose derivative reads its argument keeps a copy of what it overwrites."
            "It keeps the tensor that it overwrites, and its own write is an error in backward."

    let aWriteKeepsItsResult =
        rule
            "versions/a-write-keeps-its-result"
            "An operator in place whose derivative reads its result keeps it as it is after the write."
            "It keeps the version from before the write, and its own write is an error in backward."

    let keptIsNotDetached =
        rule
            "versions/kept-is-not-detached"
            "A tensor that was kept as an argument and then detached in place is an error in backward; one kept as a result is none."
            "Backward goes on."

    let geometryInPlaceCounts =
        rule
            "versions/geometry-in-place-counts"
            "A view operator in place, as `t_`, changes no element, but counts as a write."
            "It does not count."

    let vectorTimesMatrixStartsAtOne =
        rule
            "versions/vector-times-matrix-starts-at-one"
            "The product of a vector and a matrix starts at version 1: it is computed as a row and squeezed in place."
            "It starts at 0 like all results."

    let runningStatisticsMoveUnseen =
        rule
            "versions/running-statistics-move-unseen"
            "Training `batch_norm` changes its running statistics, and that does not count as a write."
            "It counts."

    let internal all =
        [ writesCount
          keptIsChecked
          onlyWhatIsKeptIsChecked
          keptOnlyWhereNeeded
          viewsShareTheCounter
          detachSharesTheCounter
          dataHasItsOwnCounter
          writesCountInEveryMode
          accumulationCounts
          aWriteKeepsWhatWasThere
          aWriteKeepsItsResult
          keptIsNotDetached
          geometryInPlaceCounts
          vectorTimesMatrixStartsAtOne
          runningStatisticsMoveUnseen ]
