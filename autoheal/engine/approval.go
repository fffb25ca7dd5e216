package engine

import (
	"context"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/decide"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// maxAsked is how often one incident may ask a person.
const maxAsked = 3

// askEvery is the pause between two looks for the answer.
const askEvery = 250 * time.Millisecond

// askPerson puts the question: diagnosed -> awaiting.
func (w *work) askPerson(ctx context.Context, choice decide.Choice, targets []incident.Target, refusal guard.Decision) error {
	if w.progress.Asked >= maxAsked {
		return w.propose(ctx, choice, targets, refusal)
	}
	now := w.cfg.Now()
	w.progress.Asked++
	w.in.Approval = &incident.Approval{
		Cause: w.in.Diagnosis.Cause, Remedy: choice.Step.Remedy, AskedAt: now, Expires: now.Add(w.cfg.AnswerWithin),
	}
	for _, t := range targets {
		w.in.Approval.Targets = append(w.in.Approval.Targets, t.Name)
	}
	w.note("approval", "asked: %s on %s? %s", choice.Step.Remedy, targetNames(targets), refusal.Reason)
	w.tell(incident.NoticeApproval, true, "%s: may the healer do %s on %s? `autoheal approve %s --by NAME`, before %s", w.in.Diagnosis.Summary,
		choice.Step.Remedy, targetNames(targets), w.in.ID, w.in.Approval.Expires.UTC().Format(time.TimeOnly))
	return w.move(ctx, incident.Awaiting, "a person is asked: %s on %s; no answer within %s is a no (%s)", choice.Step.Remedy,
		targetNames(targets), w.cfg.AnswerWithin, refusal.Reason)
}

// await waits for the answer: awaiting -> received, where the diagnosis is repeated, or escalated.
func (w *work) await(ctx context.Context) error {
	question := w.in.Approval
	if question == nil {
		return w.escalate(ctx, "nobody knows what was asked")
	}
	for {
		answer, there, err := w.cfg.Store.Answer(ctx, w.in.ID, question.AskedAt)
		if err != nil {
			return err
		}
		now := w.cfg.Now()
		switch {
		case there:
			at := answer.At
			question.Answer, question.By, question.Comment, question.At = answer.Answer, answer.By, answer.Comment, &at
		case !now.Before(question.Expires):
			question.Answer, question.At = incident.Expired, &now
		}
		switch question.Answer {
		case incident.Approved:
			w.progress.Looks = 0
			return w.move(ctx, incident.Received, "%s approved %s: looking again before it is done", question.By, question.Remedy)
		case incident.Denied:
			return w.escalate(ctx, "%s denied %s: %s", question.By, question.Remedy, question.Comment)
		case incident.Expired:
			return w.escalate(ctx, "nobody answered within %s, which is a no to %s", w.cfg.AnswerWithin, question.Remedy)
		}
		if !pause(ctx, askEvery) {
			return ctx.Err()
		}
	}
}

// approvedBy names who approved this remedy for this cause on this target, lately enough; empty where nobody did.
func (w *work) approvedBy(remedy string, target incident.Target) string {
	a := w.in.Approval
	if a == nil || a.Answer != incident.Approved || a.Cause != w.in.Diagnosis.Cause || a.Remedy != remedy ||
		!slices.Contains(a.Targets, target.Name) || w.cfg.Now().Sub(*a.At) > w.cfg.AnswerWithin {
		return ""
	}
	return a.By
}
