"""Programs thought out by hand, on the rules of autograd rather than on single operators."""
from corpus import (semantics_accumulation, semantics_backward, semantics_errors, semantics_modes, semantics_versions,
                    semantics_views)


def programs():
    parts = [semantics_accumulation, semantics_backward, semantics_versions, semantics_views, semantics_modes, semantics_errors]
    return [p for part in parts for p in part.case.found]
