namespace Verified.Spec.Rules

/// Modes of recording.
[<RequireQualifiedAccess>]
module Modes =
    let noGradRecordsNothing =
        rule "modes/no-grad-records-nothing" "Nothing that is computed under `no_grad` is recorded." "It is recorded as outside."

    let enableGradRecords = rule "modes/enable-grad-records" "`enable_grad` inside `no_grad` records again." "It does nothing."

    let blocksEnd = rule "modes/blocks-end" "After a block the mode is what it was before it." "The mode stays."

    let inferenceRecordsNothing =
        rule
            "modes/inference-records-nothing"
            "Nothing that is computed in inference mode is recorded, and what is made there stays apart: it has no versions."
            "Inference mode does nothing."

    let inferenceIsStronger =
        rule "modes/inference-is-stronger" "`enable_grad` inside inference mode records nothing." "It records."

    let inferenceIsNotKept =
        rule
            "modes/inference-is-not-kept"
            "A tensor made in inference mode cannot be kept for a derivative; that is an error."
            "It is kept."

    let inferenceIsReadOnlyOutside =
        rule
            "modes/inference-is-read-only-outside"
            "A tensor made in inference mode cannot be written to outside of it; that is an error."
            "It is written to."

    let inferenceErrorsComeLate =
        rule
            "modes/inference-errors-come-late"
            "The error about a write to a tensor of inference mode comes after the write: the elements have changed."
            "The tensor is as it was."

    let inferenceNeverRequires =
        rule
            "modes/inference-never-requires"
            "A tensor made in inference mode cannot be asked to require a gradient outside of it; that is an error."
            "It can."

    /// PyTorch's is the known divergence leaf-of-inference-is-not-seen.
    let inferenceLeavesAreLeaves =
        ruleBrokenByPyTorch
            "modes/inference-leaves-are-leaves"
            "A tensor that was made in inference mode, and made to require a gradient there, is a leaf outside as any other, and what was detached from one has a history as any other."
            "What is done outside with such tensors alone is not recorded, and not seen by autograd."

    let inferenceLeavesHistoriesAlone =
        rule "modes/inference-leaves-histories-alone" "`detach_` in inference mode leaves the tensor's history alone." "It cuts it."

    let backwardHasItsOwnMode =
        rule
            "modes/backward-has-its-own-mode"
            "A backward records under `create_graph` and only then, whatever the mode is around it."
            "Inside `no_grad` it records nothing."

    let internal all =
        [ noGradRecordsNothing
          enableGradRecords
          blocksEnd
          inferenceRecordsNothing
          inferenceIsStronger
          inferenceIsNotKept
          inferenceIsReadOnlyOutside
          inferenceErrorsComeLate
          inferenceNeverRequires
          inferenceLeavesAreLeaves
          inferenceLeavesHistoriesAlone
          backwardHasItsOwnMode ]
