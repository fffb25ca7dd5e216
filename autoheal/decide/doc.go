// Package decide chooses a remedy: from a diagnosis, the playbook's ladder, what is there and what was tried already. It is
// pure, and shared by the engine and by replay. It asks no guard.
package decide
