namespace Verified.Spec.Rules

/// Writes in place.
[<RequireQualifiedAccess>]
module Writes =
    let leavesAreReadOnly =
        rule
            "writes/leaves-are-read-only"
            "A leaf that requires a gradient cannot be written to with recording on; that is an error."
            "The write goes through, and the leaf takes on its history."

    let aWriteIsHistory =
        rule "writes/a-write-is-history" "The written tensor's history becomes that of the write." "It keeps the history that it had."

    let overwritingCuts =
        rule
            "writes/overwriting-cuts"
            "`zero_`, `fill_` and `copy_` cut the old history: its gradient is zeros, and that of `copy_` goes to the source."
            "The gradient goes on to what was there before."

    let theModeForgives =
        rule "writes/the-mode-forgives" "Under `no_grad` leaves and views of leaves can be written to." "They cannot."

    let unrecordedChangesNoHistory =
        rule
            "writes/unrecorded-changes-no-history"
            "A write under `no_grad` changes elements and version, but no history."
            "The written tensor becomes a constant."

    let returnsItself =
        rule
            "writes/returns-itself"
            "What a function in place returns is the tensor that was written to."
            "It is a new tensor of the same value."

    let noPlaceTwice =
        rule
            "writes/no-place-twice"
            "A tensor of which several elements share a place in memory, as an expanded one, cannot be written to; that is an error."
            "The last of them stays."

    let oneValueMayBeWrittenTwice =
        rule
            "writes/one-value-may-be-written-twice"
            "`zero_` and `fill_` with a number may write to elements that share a place, since all get the same."
            "They are refused like other writes."

    let sourceAndTargetDoNotOverlap =
        rule
            "writes/source-and-target-do-not-overlap"
            "A write that reads memory which overlaps in part with what it writes is an error."
            "It is as if the source had been copied first."

    let theVerySameElementsMayBeRead =
        rule
            "writes/the-very-same-elements-may-be-read"
            "A write may read exactly the elements that it writes, or others of the same memory."
            "All sources in the same memory are refused."

    let integersTakeNoFloats =
        rule
            "writes/integers-take-no-floats"
            "A float result cannot be written into an integer or boolean tensor; that is an error."
            "It is truncated."

    /// PyTorch's is the known divergence integers-that-require-a-gradient.
    let intoIntegersIsNotRecorded =
        ruleBrokenByPyTorch
            "writes/into-integers-is-not-recorded"
            "A write into an integer or boolean tensor is not recorded, whatever is written: integers require no gradient."
            "It is recorded, and the integers require a gradient."

    let wholeItemsAreTheTensorItself =
        rule
            "writes/whole-items-are-the-tensor-itself"
            "An empty index, and slices that write out a whole dimension as in `x[0:2] = v`, write to the tensor itself; `x[:] = v` writes to a view. On a leaf these are two errors."
            "It is a view in every case."

    let internal all =
        [ leavesAreReadOnly
          aWriteIsHistory
          overwritingCuts
          theModeForgives
          unrecordedChangesNoHistory
          returnsItself
          noPlaceTwice
          oneValueMayBeWrittenTwice
          sourceAndTargetDoNotOverlap
          theVerySameElementsMayBeRead
          integersTakeNoFloats
          intoIntegersIsNotRecorded
          wholeItemsAreTheTensorItself ]
