namespace Verified.Spec

/// The rules of autograd. In the code a rule goes by its name in camel case: `Rules.Versions.detachSharesTheCounter`.
[<RequireQualifiedAccess>]
module AutogradRules =
    /// All rules, in order.
    let all: AutogradRule list =
        List.concat
            [ Rules.Leaves.all
              Rules.Gradients.all
              Rules.Graph.all
              Rules.Versions.all
              Rules.Views.all
              Rules.Writes.all
              Rules.Modes.all
              Rules.Hooks.all
              Rules.Errors.all ]
