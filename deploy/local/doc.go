// Package local runs the whole of Faultline as processes of this machine: it checks what is needed, starts everything in
// order, says where it answers (.faultline/run/stack.json), and ends it without leaving anything behind.
package local
