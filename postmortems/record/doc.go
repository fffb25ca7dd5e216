// Package record reads incidents: from autoheal's API (docs/contracts.md, "autoheal") or from a JSON file.
package record
