// Package bot holds the rivals of the study: small programs that answer every alert with the same remedy, as most bots that
// heal do. They take Alertmanager's webhooks in the healer's place, and act through the same interfaces.
package bot
