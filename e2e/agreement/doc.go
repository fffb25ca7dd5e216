// Package agreement holds what the disease and the doctor must say alike, although neither knows the other: its tests read both.
package agreement
