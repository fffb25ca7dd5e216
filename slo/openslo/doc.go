// Package openslo reads OpenSLO v1 (https://github.com/OpenSLO/OpenSLO), strictly: a file loads as what it says, or it is
// refused with file:line:column, the field and what to do. What is valid OpenSLO but cannot be done here is refused too, in
// so many words, and never left out in silence.
package openslo
