namespace Verified.Spec.Rules

/// What errors say.
[<RequireQualifiedAccess>]
module Errors =
    let pathsLeadIntoBlocks =
        rule
            "errors/paths-lead-into-blocks"
            "Where a program ended in an error inside of blocks, the place leads into them."
            "The place is that of the outermost block."

    let modifiedNamesTheTensor =
        rule
            "errors/modified-names-the-tensor"
            "The error about a kept tensor that was written to names its type, shape, both versions and, where it has a history, the result of which node it is."
            "It only says that a variable was modified."

    let rootsAreNumbered =
        rule
            "errors/roots-are-numbered"
            "An error about one of several roots, or about its gradient, says which."
            "It speaks of the first one."

    let readOnlyViewsSayWhy =
        rule
            "errors/read-only-views-say-why"
            "The error about a view that may not be written to says which result of which node it is, and whether it was itself written to or its base."
            "It speaks of a view."

    let nullIsNotUsed =
        rule "errors/null-is-not-used" "A null gradient cannot be used as a tensor; that is an error." "The step is passed over."

    let refusedArguments =
        rule
            "errors/refused-arguments"
            "An argument that an operator has no derivative for is refused if it requires a gradient."
            "It counts as a constant."

    let internal all =
        [ pathsLeadIntoBlocks
          modifiedNamesTheTensor
          rootsAreNumbered
          readOnlyViewsSayWhy
          nullIsNotUsed
          refusedArguments ]
