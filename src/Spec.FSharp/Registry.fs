namespace Verified.Spec

open Verified.Spec.Operators

/// The operators of the specification, by PyTorch's name. A value: the interpreter, the generator, the goldens, the documentation
/// and the coverage walk it.
type Registry = Map<string, Operator>

[<RequireQualifiedAccess>]
module Registry =
    /// All operators.
    let all: Registry =
        [ Internal.all
          Pointwise.all
          Piecewise.all
          Activations.all
          Comparison.all
          Views.all
          Slicing.all
          Rearranging.all
          Writes.all
          Rewrites.all
          Extremes.all
          Reductions.all
          Products.all
          Gathering.all
          Indexing.all
          Embedding.all
          Convolution.all
          Pooling.all
          Resizing.all
          Normalisation.all
          BatchNormalisation.all
          RegressionLosses.all
          BinaryLosses.all
          CrossEntropy.all
          NllLoss.all ]
        |> List.concat
        |> List.map (fun (op: Operator) -> op.Name, op)
        |> Map.ofList

    /// The registry with an operator computed in another way: so that what an engine's known inaccuracy gives can be predicted.
    let computing name (forward: Forward) (registry: Registry) : Registry =
        registry |> Map.change name (Option.map (fun op -> { op with Behaviour = Computes forward }))

    /// The same with a gradient, one node and symmetric, whose derivative by the operator's input is computed in another way.
    let derivingAgain name (second: Again -> Term) (registry: Registry) : Registry =
        let change (op: Operator) =
            { op with
                Fused = op.Fused |> Option.bind (fun fusion -> Define.fusedSymmetric fusion.Node second) }

        registry |> Map.change name (Option.map change)
