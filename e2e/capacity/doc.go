// Package capacity holds `slo capacity` against the truth: what it predicts at the demo's rate, and the rate at which the
// real stack is then found to be full.
package capacity
