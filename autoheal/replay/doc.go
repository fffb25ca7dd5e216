// Package replay judges past incidents anew: it diagnoses the recorded facts again, chooses again from what was recorded as
// seen, and says where that differs from what was recorded. It acts on nothing and asks nobody.
package replay
