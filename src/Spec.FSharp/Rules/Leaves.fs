namespace Verified.Spec.Rules

/// Leaves, and the flags of tensors.
[<RequireQualifiedAccess>]
module Leaves =
    let oneArgumentIsEnough =
        rule
            "leaves/one-argument-is-enough"
            "What is computed requires a gradient as soon as one of its arguments does."
            "Only what is computed of arguments that all require a gradient requires one."

    let integersNeverRequire =
        rule
            "leaves/integers-never-require"
            "Integer and boolean results never require a gradient, whatever they were computed from."
            "They get a history like any other result."

    let aLeafHasNoHistory =
        rule
            "leaves/a-leaf-has-no-history"
            "A leaf is a tensor without a history, whether it requires a gradient or not."
            "Only a tensor that requires a gradient counts as a leaf."

    let onlyLeavesKeepGradients =
        rule
            "leaves/only-leaves-keep-gradients"
            "A backward leaves gradients in leaves alone: `grad` of a computed tensor stays null unless it was asked for."
            "Every computed tensor keeps its gradient."

    let onlyFloatsMayRequire =
        rule "leaves/only-floats-may-require" "Asking an integer or boolean tensor to require a gradient is an error." "The flag is set."

    let aComputedTensorStaysRequired =
        rule
            "leaves/a-computed-tensor-stays-required"
            "The flag of a computed tensor cannot be switched off; that is an error."
            "Nothing happens, and nothing is raised."

    let switchedOffAccumulatesNothing =
        rule
            "leaves/switched-off-accumulates-nothing"
            "A leaf that was switched off after its use keeps its place in the graph, but accumulates nothing."
            "It accumulates, since the graph leads to it."

    let writtenIntoTheGraph =
        rule
            "leaves/written-into-the-graph"
            "A leaf that was switched off after its use and then given a history by a write is a leaf no more; a gradient that arrives at its old place in the graph is an error."
            "It is dropped, since the flag is off."

    let theFlagIgnoresTheMode =
        rule "leaves/the-flag-ignores-the-mode" "`requires_grad_` counts inside `no_grad` as well." "It does nothing there."

    let detachHasNoHistory =
        rule
            "leaves/detach-has-no-history"
            "`detach` gives a tensor that neither requires a gradient nor has a history."
            "It keeps flag and history, and gradients pass through it."

    let detachedInPlaceEndsThere =
        rule
            "leaves/detached-in-place-ends-there"
            "`detach_` makes the tensor itself a leaf without a gradient; what was computed from it before keeps its graph."
            "It does nothing."

    let viewsAreNotDetachedInPlace =
        rule "leaves/views-are-not-detached-in-place" "`detach_` of a view is an error." "The view loses its history."

    let dataHasNoHistory =
        rule
            "leaves/data-has-no-history"
            "`data` gives a tensor that neither requires a gradient nor has a history."
            "It keeps flag and history, and gradients pass through it."

    let internal all =
        [ oneArgumentIsEnough
          integersNeverRequire
          aLeafHasNoHistory
          onlyLeavesKeepGradients
          onlyFloatsMayRequire
          aComputedTensorStaysRequired
          switchedOffAccumulatesNothing
          writtenIntoTheGraph
          theFlagIgnoresTheMode
          detachHasNoHistory
          detachedInPlaceEndsThere
          viewsAreNotDetachedInPlace
          dataHasNoHistory ]
