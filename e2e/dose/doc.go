// Package dose fits the experiments to the patient's size: a fault that takes every connection of eight must take all of
// twelve, or a healer that copes with it has shown nothing. Who heals is told nothing of it.
package dose
