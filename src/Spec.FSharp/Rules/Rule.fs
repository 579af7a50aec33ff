namespace Verified.Spec

/// A rule of autograd under a name that stays. Where the specification follows the rule, it asks whether the state holds it;
/// beside that stands what goes wrong without. So a rule can be switched off, and a program that shows it told from one that
/// does not.
type AutogradRule =
    {
        /// "versions/detach-shares-the-counter".
        Name: string
        /// The rule, in plain words.
        Says: string
        /// What happens where it is switched off: the mistake that one would naturally make.
        Without: string
        /// Whether PyTorch makes this very mistake, which is then a known divergence: without the rule the specification does what PyTorch does.
        BrokenByPyTorch: bool
    }

namespace Verified.Spec.Rules

open Verified.Spec

[<AutoOpen>]
module internal Writing =
    let rule name says without : AutogradRule =
        { Name = name
          Says = says
          Without = without
          BrokenByPyTorch = false }

    let ruleBrokenByPyTorch name says without : AutogradRule =
        { rule name says without with
            BrokenByPyTorch = true }
