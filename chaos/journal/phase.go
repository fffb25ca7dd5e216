package journal

import "log/slog"

// Phase is what a log record says has happened. It is the record's field "phase", by which a dashboard marks the moment.
type Phase string

// The phases, roughly in the order of an experiment.
const (
	Started      Phase = "started"
	Steady       Phase = "steady"
	Refused      Phase = "refused" // not steady
	Injecting    Phase = "injecting"
	Injected     Phase = "injected"
	InjectFailed Phase = "inject-failed"
	Client       Phase = "client" // the client's view changed
	WindowOver   Phase = "window-over"
	Aborted      Phase = "aborted"
	Interrupted  Phase = "interrupted"
	Stopped      Phase = "stopped" // by another process
	Held         Phase = "held"
	NotHeld      Phase = "not-held"
	Kept         Phase = "kept"
	Removed      Phase = "removed"
	Left         Phase = "left"     // the fault could not be removed
	NotBack      Phase = "not-back" // it was removed, and the steady state is not back
)

// sentence is how a phase is told.
type sentence struct {
	level   slog.Level
	message string
}

// sentences is everything that is ever logged.
var sentences = map[Phase]sentence{
	Started:      {slog.LevelInfo, "experiment started"},
	Steady:       {slog.LevelInfo, "steady state holds"},
	Refused:      {slog.LevelWarn, "experiment refused"},
	Injecting:    {slog.LevelInfo, "fault injection begins"},
	Injected:     {slog.LevelInfo, "fault injected"},
	InjectFailed: {slog.LevelError, "fault injection failed"},
	Client:       {slog.LevelInfo, "the client's view changed"},
	WindowOver:   {slog.LevelInfo, "observation window over"},
	Aborted:      {slog.LevelWarn, "experiment aborted"},
	Interrupted:  {slog.LevelWarn, "experiment interrupted"},
	Stopped:      {slog.LevelWarn, "experiment stopped by another process"},
	Held:         {slog.LevelInfo, "hypothesis held"},
	NotHeld:      {slog.LevelWarn, "hypothesis did not hold"},
	Kept:         {slog.LevelInfo, "fault kept"},
	Removed:      {slog.LevelInfo, "fault removed"},
	Left:         {slog.LevelError, "fault could not be removed"},
	NotBack:      {slog.LevelWarn, "steady state is not back"},
}
