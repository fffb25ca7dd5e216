// Package postgres finds PostgreSQL 16 or later on this machine or fetches it, and prepares a throwaway server with the
// databases and roles of the stack.
//
// A supervisor uses it in this order: Find, DataDirFor, Init, Command (which it runs as its own child), WaitReady,
// Bootstrap, and Remove at the end. Tests use Standalone or RunWith, which do all of that.
package postgres
