namespace Verified.Spec.Rules

/// Hooks on tensors.
[<RequireQualifiedAccess>]
module Hooks =
    let replaceTheGradient =
        rule "hooks/replace-the-gradient" "What a hook returns takes the place of the gradient for all that follows." "It is thrown away."

    let removedAreNotRun = rule "hooks/removed-are-not-run" "A removed hook is run no more." "It goes on."

    let allAreRun =
        rule
            "hooks/all-are-run"
            "Several hooks of one tensor all run, each given what the one before it returned."
            "Only the first one runs."

    let stayWithTheirHistory =
        rule
            "hooks/stay-with-their-history"
            "A hook registered before a write in place stays with the tensor as it was; one registered after it belongs to the tensor as it is."
            "Hooks move with the tensor to its new history."

    let outliveGeometryInPlace =
        rule
            "hooks/outlive-geometry-in-place"
            "`t_` and `squeeze_` are no writes to elements: what was hooked of a view before runs after them."
            "The hooks stay with the view as it was, as if its elements had been written, and its gradient passes them by."

    let outliveDetachInPlace =
        rule
            "hooks/outlive-detach-in-place"
            "`detach_` writes nothing: what was hooked of the tensor before is hooked of the leaf that it becomes."
            "The hooks stay with the history that was cut off."

    /// PyTorch's is the known divergence hooked-again.
    let belongToTheTensorAsItIs =
        ruleBrokenByPyTorch
            "hooks/belong-to-the-tensor-as-it-is"
            "A hook belongs to the tensor as it is when the hook is registered, whatever was hooked of it before."
            "What `t_`, `squeeze_`, `detach_` and a first history through a view make of a tensor begins no new list of hooks: the hook is run where the list began."

    let beforeRetained =
        rule "hooks/before-retained" "A retained gradient is what the tensor's hooks have made of it." "It is what arrived."

    let runInGrad =
        rule "hooks/run-in-grad" "`grad` runs the hooks of the tensors that it differentiates." "It returns what arrived."

    let passedIsCapturedBefore =
        rule
            "hooks/passed-is-captured-before"
            "A tensor that `grad` differentiates and also passes through, on the way to another one, is returned as it was before its hooks."
            "It is returned as its hooks have made it."

    let aSingleRootIsEntered =
        rule
            "hooks/a-single-root-is-entered"
            "The hooks of a single root, and its retained gradient, are served even where its gradient leads to nothing that is wanted."
            "They are not."

    let areDifferentiated =
        rule
            "hooks/are-differentiated"
            "Under `create_graph` what a hook does is recorded, and differentiated with the rest."
            "The hook's result is a constant."

    let onlyWhatRequiresIsHooked =
        rule
            "hooks/only-what-requires-is-hooked"
            "A hook on a tensor that requires no gradient is an error."
            "Nothing happens, and nothing is raised."

    let internal all =
        [ replaceTheGradient
          removedAreNotRun
          allAreRun
          stayWithTheirHistory
          outliveGeometryInPlace
          outliveDetachInPlace
          belongToTheTensorAsItIs
          beforeRetained
          runInGrad
          passedIsCapturedBefore
          aSingleRootIsEntered
          areDifferentiated
          onlyWhatRequiresIsHooked ]
