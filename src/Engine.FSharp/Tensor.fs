namespace Verified.Engine.FSharp

open Verified.Engine

/// Tensors as F# sees them: curried functions over the engine's type.
[<RequireQualifiedAccess>]
module Tensor =
    /// The same values without a history; shares memory with `x`.
    let detach (x: Tensor) = x.Detach()
