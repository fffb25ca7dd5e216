package postgres

import "strconv"

// setting is one line of the server's configuration.
type setting struct{ name, value string }

// settings of the throwaway server (docs/decisions/0002-throwaway-database.md). initdb writes them, so that no file in
// the data folder is ever written by root.
func settings(cfg Config) []setting {
	// Loopback only, and no socket file: nothing to clean up, and no path that could be too long.
	address := []setting{{"listen_addresses", "127.0.0.1"}, {"unix_socket_directories", ""}}
	return append(address, tuning(cfg)...)
}

// ContainerArguments are the same settings as a command line, for a server that is started by its image: it listens where
// the image says.
func ContainerArguments(cfg Config) []string {
	var args []string
	for _, s := range tuning(cfg.sized()) {
		args = append(args, "-c", s.name+"="+s.value)
	}
	return args
}

// tuning is everything but where the server listens.
func tuning(cfg Config) []setting {
	return []setting{
		// The experiments' arithmetic. The first reserve is the superuser's, the second the healer's.
		{"max_connections", strconv.Itoa(cfg.MaxConnections)},
		{"superuser_reserved_connections", strconv.Itoa(cfg.ReservedConnections)},
		{"reserved_connections", strconv.Itoa(cfg.ReservedConnections)},

		// The data is made anew at every start, so there is nothing to keep safe from a power cut. A crash of the server
		// itself loses nothing either way: what was written is with the operating system.
		{"fsync", "off"},
		{"full_page_writes", "off"},
		{"wal_level", "minimal"},
		{"max_wal_senders", "0"},
		{"max_wal_size", "256MB"},

		// Small: the data is a few megabytes, and the whole stack shares one laptop.
		{"shared_buffers", "32MB"},
		{"max_worker_processes", "2"},
		{"max_parallel_workers", "0"},
		{"jit", "off"},

		// The tables are updated all the time; they would bloat within one study.
		{"autovacuum", "on"},
		{"autovacuum_max_workers", "1"},
		{"autovacuum_naptime", "10s"},

		// What the healer reads.
		{"track_activities", "on"},
		{"track_activity_query_size", "4096"},

		// A line for what is worth reading, to stderr, which the supervisor keeps.
		{"log_destination", "stderr"},
		{"logging_collector", "off"},
		{"log_connections", "off"},
		{"log_disconnections", "off"},
		{"log_checkpoints", "off"},
		{"log_lock_waits", "on"},
		{"log_min_duration_statement", "500ms"},
		{"log_line_prefix", "%m [%p] %u@%d %a "},
		{"log_timezone", "UTC"},
		{"timezone", "UTC"},

		// A client that vanished in the middle of a query gives its slot back within seconds.
		{"client_connection_check_interval", "2s"},
	}
}
