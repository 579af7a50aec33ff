namespace Verified.Spec

/// What one `backward` or `grad` is asked for.
type Demand =
    {
        /// The tensors to differentiate, each with the gradient it starts from; None: one.
        Roots: (int * int option) list
        /// The only tensors whose gradients are wanted; None: all leaves.
        Wanted: int list option
        /// Gradients are added to `.grad`; else they are returned.
        Accumulates: bool
        Retains: bool
        Creates: bool
    }
