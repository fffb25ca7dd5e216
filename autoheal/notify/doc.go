// Package notify tells people: it reads the notices that the engine has stored and sends each to every receiver that wants
// it, at least once and in order, until somebody takes it or it is too old to be of use.
package notify
