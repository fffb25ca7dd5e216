// Package diagnosis holds the healer's diagnosis against the recordings of real runs: which cause is named in which look.
//
// Recordings were made before the diagnosis and by other code, so what they lack is derived from what they have, in adapt.go,
// where it can be seen.
package diagnosis
