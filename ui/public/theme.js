// Applies the stored theme before the first paint. It is a separate file, because the content
// security policy forbids inline scripts.
(function () {
  try {
    var theme = localStorage.getItem('khor.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // The browser may forbid storage. The page then has the system's theme.
  }
})();
