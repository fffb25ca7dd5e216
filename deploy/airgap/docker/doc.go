// Package docker drives a Docker engine through its command line, which kind needs as well.
package docker
