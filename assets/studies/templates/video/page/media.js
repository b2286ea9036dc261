// The files in the folder `videos`, in their order. Empty: the page draws a short film.
const FILES = [];
