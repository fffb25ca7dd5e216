package postgres

import (
	"cmp"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/url"
	"strconv"
)

// Superuser is the role that initdb makes.
const Superuser = "postgres"

// The roles and databases of the stack. Each service owns the database of its own name; the healer owns nothing.
const (
	Orders    = "orders"
	Inventory = "inventory"
	Autoheal  = "autoheal"
)

// Defaults of Config: the sheet of the experiments counts on them (docs/decisions/0002-throwaway-database.md).
const (
	DefaultMaxConnections      = 40
	DefaultReservedConnections = 3
)

// TestConnections is the max_connections of servers for tests: those of several packages share one.
const TestConnections = 100

// Passwords holds one password for each role, so that no service can log in as another or as the healer.
type Passwords struct {
	Superuser, Orders, Inventory, Autoheal string
}

// NewPasswords makes up fresh ones.
func NewPasswords() Passwords {
	return Passwords{Superuser: rand.Text(), Orders: rand.Text(), Inventory: rand.Text(), Autoheal: rand.Text()}
}

// Of returns the password of a role, empty for a role that the stack does not have.
func (p Passwords) Of(role string) string {
	switch role {
	case Superuser:
		return p.Superuser
	case Orders:
		return p.Orders
	case Inventory:
		return p.Inventory
	case Autoheal:
		return p.Autoheal
	}
	return ""
}

// Config is one throwaway server.
type Config struct {
	Installation Installation
	// DataDir is the server's own folder; Init makes it. See DataDirFor.
	DataDir   string
	Port      int
	Passwords Passwords

	// MaxConnections defaults to 40.
	MaxConnections int
	// ReservedConnections are slots that only superusers, and as many again that only members of
	// pg_use_reserved_connections (the healer), can take. Defaults to 3.
	ReservedConnections int
	// Log receives what initdb has to say. Defaults to nowhere.
	Log io.Writer
}

// prepared checks what is required and fills in the rest.
func (c Config) prepared() (Config, error) {
	switch {
	case c.Installation.BinDir == "":
		return c, errors.New("postgres: no installation given: use Find")
	case c.DataDir == "":
		return c, errors.New("postgres: no data folder given: use DataDirFor")
	case c.Port == 0:
		return c, errors.New("postgres: no port given")
	case c.Passwords.Superuser == "":
		return c, errors.New("postgres: no superuser password given: use NewPasswords")
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	return c.sized(), nil
}

// sized fills in the numbers of connections.
func (c Config) sized() Config {
	c.MaxConnections = cmp.Or(c.MaxConnections, DefaultMaxConnections)
	c.ReservedConnections = cmp.Or(c.ReservedConnections, DefaultReservedConnections)
	return c
}

// URL is where role reaches database on the server, straight, with its password in it.
func URL(cfg Config, role, database string) string {
	return (&url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(role, cfg.Passwords.Of(role)),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(cfg.Port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}).String()
}
