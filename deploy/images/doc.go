// Package images makes container images of our programs without a registry and without `docker build`: from scratch, one
// static program each, not root, the same bytes from the same source.
package images
