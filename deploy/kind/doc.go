// Package kind runs the stack of a checkout on a kind cluster: it makes the cluster or uses the one that it made before,
// brings the images there, applies overlay dev, waits until everything answers, and takes away what it made.
package kind
