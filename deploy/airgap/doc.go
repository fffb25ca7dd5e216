// Package airgap builds every image that a kind cluster needs, on a machine that reaches no image registry, from Debian
// packages, Go modules and PostgreSQL's npm package.
package airgap
