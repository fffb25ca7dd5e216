// Package pause builds the smallest of programs, which holds the namespaces of a pod.
package pause
