// Package playbook reads which remedies are tried for which cause, in which order: cause -> ladder of rungs.
package playbook
