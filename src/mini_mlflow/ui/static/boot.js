// What came with the page, and is it a report, which has nobody to ask?

const text = document.getElementById('bootstrap')?.textContent.trim();
/** What came with the page: docs/page.md, section 1. */
export const boot = text ? JSON.parse(text) : null;
/** Whether this page is a file of its own: what needs a server is absent then. */
export const isReport = Boolean(boot?.is_report);
