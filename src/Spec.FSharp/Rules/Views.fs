namespace Verified.Spec.Rules

/// Views, and writes through them.
[<RequireQualifiedAccess>]
module Views =
    let shareMemory =
        rule "views/share-memory" "A view shows the memory of its base: what is written to one shows in the other." "A view is a copy."

    let nothingToDoIsTheTensorItself =
        rule
            "views/nothing-to-do-is-the-tensor-itself"
            "`contiguous`, `to` and their like give the tensor itself where there is nothing to do."
            "They give a copy."

    let reshapeCopies =
        rule
            "views/reshape-copies"
            "`reshape` and `flatten` give a view where strides allow it, and a copy where they do not."
            "They refuse where `view` refuses."

    let aWriteRewritesTheBase =
        rule
            "views/a-write-rewrites-the-base"
            "A write to a view is a write to its base: the base gets a new history, in which what is inside of the view goes through the write and what is outside passes."
            "Only the view gets a new history."

    let historiesAreMadeAnew =
        rule
            "views/histories-are-made-anew"
            "A view whose base, or another view of it, was written to since gets its history anew from the base's."
            "It keeps the history that it was made with."

    let chainsHaveOneBase =
        rule "views/chains-have-one-base" "A view of a view is a view of the first tensor." "It is a view of the view."

    let requireWithTheirBase =
        rule
            "views/require-with-their-base"
            "A view requires a gradient as soon as its base does, also one made before the base took on a history."
            "It requires one only if it was made with a history."

    let oneOfSeveralIsReadOnly =
        rule
            "views/one-of-several-is-read-only"
            "One of several views that one operator returned (`unbind`, `split`, `chunk`) cannot be written to with recording on; that is an error."
            "The write goes through."

    let oneOfSeveralEndsWithAWrite =
        rule
            "views/one-of-several-ends-with-a-write"
            "After a write to their base, views that one operator returned together cannot be used with recording on; that is an error."
            "They get their history anew, as other views do."

    let readOnlyIsInherited =
        rule "views/read-only-is-inherited" "A view of a view that may not be written to may not be written to either." "It may."

    let madeInNoGradIsReadOnly =
        rule
            "views/made-in-no-grad-is-read-only"
            "A view made under `no_grad` cannot be written to with recording on, where that would be recorded; that is an error."
            "The write goes through."

    let madeInInferenceIsReadOnly =
        rule
            "views/made-in-inference-is-read-only"
            "A view made in inference mode of an ordinary tensor cannot be written to outside with recording on, where that would be recorded; that is an error."
            "The write goes through."

    let madeInNoGradHasNoHistory =
        rule
            "views/made-in-no-grad-has-no-history"
            "A view made under `no_grad` says that it requires a gradient if its base does, but has no history: what is computed from it reaches nobody."
            "It has a history as if it had been recorded."

    let ofALeafIsReadOnly =
        rule
            "views/of-a-leaf-is-read-only"
            "A view of a leaf that requires a gradient cannot be written to with recording on; that is an error."
            "The write goes through, and the leaf takes on its history."

    let detachedIsNoView =
        rule
            "views/detached-is-no-view"
            "`detach` shares memory but is no view for autograd: a write to it changes no history but its own."
            "It is a view like others."

    let viewsInPlaceKeepTheirBase =
        rule
            "views/views-in-place-keep-their-base"
            "A view operator in place (`t_`) changes the geometry of the tensor itself, and its history with it."
            "The history stays that of the old geometry."

    let internal all =
        [ shareMemory
          nothingToDoIsTheTensorItself
          reshapeCopies
          aWriteRewritesTheBase
          historiesAreMadeAnew
          chainsHaveOneBase
          requireWithTheirBase
          oneOfSeveralIsReadOnly
          oneOfSeveralEndsWithAWrite
          readOnlyIsInherited
          madeInNoGradIsReadOnly
          madeInInferenceIsReadOnly
          madeInNoGradHasNoHistory
          ofALeafIsReadOnly
          detachedIsNoView
          viewsInPlaceKeepTheirBase ]
