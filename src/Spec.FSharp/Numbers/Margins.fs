namespace Verified.Spec.Numbers
