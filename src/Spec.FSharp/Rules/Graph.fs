namespace Verified.Spec.Rules

/// How long a graph can be used.
[<RequireQualifiedAccess>]
module Graph =
    let freedAfterUse =
        rule
            "graph/freed-after-use"
            "A backward frees what the operators kept; a second one through them is an error."
            "The second backward finds everything as it was."

    let onlyWhatKeptIsFreed =
        rule
            "graph/only-what-kept-is-freed"
            "A second backward is an error only where an operator kept something: sums and views can be passed again."
            "It is an error everywhere."

    let numbersAreKept =
        rule
            "graph/numbers-are-kept"
            "A number that an operator keeps, as in `x * 2`, is freed like a tensor."
            "Numbers are no tensors, and are not freed."

    let retainGraphKeeps =
        rule "graph/retain-graph-keeps" "`retain_graph` keeps the graph for one more backward." "It does nothing."

    let createGraphRetains =
        rule
            "graph/create-graph-retains"
            "Under `create_graph` the graph is retained unless `retain_graph=False` is given."
            "It is freed unless `retain_graph=True` is given."

    let onlyWhatWasPassedIsFreed =
        rule
            "graph/only-what-was-passed-is-freed"
            "A backward frees only the nodes that it ran: the way to the tensors that were wanted."
            "It frees all that the root leads to."

    let createGraphRecords =
        rule
            "graph/create-graph-records"
            "Under `create_graph` the gradients have histories of their own and can be differentiated again."
            "They are constants."

    let gradientsAreConstants =
        rule
            "graph/gradients-are-constants"
            "Without `create_graph` gradients have no history, even where the gradient that was given has one."
            "They have."

    let internal all =
        [ freedAfterUse
          onlyWhatKeptIsFreed
          numbersAreKept
          retainGraphKeeps
          createGraphRetains
          onlyWhatWasPassedIsFreed
          createGraphRecords
          gradientsAreConstants ]
