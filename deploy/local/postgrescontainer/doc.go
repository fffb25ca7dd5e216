// Package postgrescontainer runs a throwaway PostgreSQL server for tests in a container, with the settings of package
// postgres.
package postgrescontainer
