namespace Verified.Spec

/// `result { ... }`: computations that stop at the first complaint.
type ResultBuilder() =
    member inline _.Bind(value: Result<'a, 'e>, [<InlineIfLambda>] next: 'a -> Result<'b, 'e>) = Result.bind next value
    member inline _.Return value : Result<'a, 'e> = Ok value
    member inline _.ReturnFrom(value: Result<'a, 'e>) = value
    member inline _.Zero() : Result<unit, 'e> = Ok()

    member inline _.Combine(first: Result<unit, 'e>, [<InlineIfLambda>] next: unit -> Result<'a, 'e>) = Result.bind next first

    member inline _.Delay([<InlineIfLambda>] body: unit -> Result<'a, 'e>) = body
    member inline _.Run([<InlineIfLambda>] body: unit -> Result<'a, 'e>) = body ()

[<AutoOpen>]
module ResultBuilding =
    let result = ResultBuilder()

/// Complaints by kind, with the text that PyTorch has for them where it has one.
[<RequireQualifiedAccess>]
module Complain =
    let because kind message : Result<'a, Complaint> = Error { Kind = kind; Message = message }

    let shape message : Result<'a, Complaint> = because ShapeError message
    let dtype message : Result<'a, Complaint> = because DTypeError message
    let index message : Result<'a, Complaint> = because IndexError message
    let value message : Result<'a, Complaint> = because ValueError message

    /// `shape` unless the condition holds.
    let unlessShape condition message = if condition then Ok() else shape (message ())

    let unlessDType condition message = if condition then Ok() else dtype (message ())

    let unlessIndex condition message = if condition then Ok() else index (message ())

    let unlessValue condition message = if condition then Ok() else value (message ())

    /// Unless what is to be written has the shape of where it is written.
    let unlessFits (target: int[]) (written: int[]) =
        unlessShape (target = written) (fun () ->
            $"output with shape {Shape.show target} doesn't match the broadcast shape {Shape.show written}")
