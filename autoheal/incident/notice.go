package incident

import "time"

// NoticeKind says what people are told of.
type NoticeKind string

// The kinds of notices.
const (
	NoticeOpened    NoticeKind = "opened"
	NoticeActed     NoticeKind = "acted"     // an action has ended
	NoticeApproval  NoticeKind = "approval"  // a person must decide
	NoticeRecovered NoticeKind = "recovered" // proved and closed
	NoticeHanded    NoticeKind = "handed-over"
	NoticeUndone    NoticeKind = "undone"
	NoticeStorm     NoticeKind = "storm" // many incidents at once: all action has stopped
)

// Notice is something that people are told. It is stored in the same transaction as what it tells of, and sent
// afterwards, again and again until somebody takes it.
type Notice struct {
	Seq        int64      `json:"seq"` // the same at every attempt: whoever receives it twice can tell
	At         time.Time  `json:"at"`
	IncidentID string     `json:"incident_id"`
	Kind       NoticeKind `json:"kind"`
	// Page means that a person is needed now.
	Page     bool   `json:"page"`
	Text     string `json:"text"`
	Workload string `json:"workload"`
	Cause    Cause  `json:"cause,omitempty"`
}
