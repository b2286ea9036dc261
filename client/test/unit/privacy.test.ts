// The privacy policy: repeated words, names of secret fields, and the kept parts of styles and attributes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPayment } from '../../src/capture/payment';
import type { Masking } from '../../src/capture/privacy';
import { address } from '../../src/capture/text';
import { fold, privateWords, starred } from '../../src/capture/private-words';
import { keptAttribute } from '../../src/replay/attributes';
import { quietStyle, quietValue, shownAddress } from '../../src/replay/styles';

const learned = (...values: string[]) => {
  const known = privateWords();
  for (const value of values) {
    for (let n = 1; n <= value.length; n++) known.learn(value.slice(0, n), false); // one letter at a time, as it is typed
  }
  return known;
};

test('what was typed is found however it is said again', () => {
  const known = learned('hunter2', 'Ann Lee', 'Zoë', '4111 1111 1111 1111', 'Straße', '王伟', 'Al');
  for (const said of [
    'Password hunter2 is too short', 'HUNTER2!', 'user_hunter2x', 'h u n t e r 2', 'h-u-n-t-e-r-2', 'hunter', 'hun\u00adter2',
    'hunter\u200b2', 'Hello, Ann Lee!', 'ANN LEE', 'ann-lee@example.org', 'zoe', 'ending in 1111', '4111-1111-1111-1111',
    '4111111111111111', 'STRASSE', '你好王伟', 'Al',
  ]) assert.ok(known.reveals(said), said);
  for (const said of ['Buy now', 'An hour later', 'Page 2 of 9', 'Alas', 'Next', '', '—', '100 g']) assert.ok(!known.reveals(said), said);
});

test('words that say nothing hide nothing', () => {
  const known = learned('this is what they would have thought about my illness');
  assert.ok(known.reveals('your illness'));
  assert.ok(!known.reveals('This is what you would have about there'));
});

test('what the page said before is its own', () => {
  const known = privateWords();
  known.addPageText('Your comment');
  known.learn('comment', false);
  assert.ok(!known.reveals('Your comment'));
  assert.ok(known.reveals('A comment'));
});

test('only the newest words are remembered, however much is typed', () => {
  const known = privateWords();
  for (let n = 0; n < 5000; n++) known.learn(`word${String.fromCharCode(97 + (n % 26))}${n}x`, true);
  assert.ok(known.reveals('wordh4999x'));
  assert.ok(!known.reveals('worda0x'));
});

test('keys of which no value can be read are put together', () => {
  const known = privateWords();
  for (const key of ['S', 'e', 's', 'x', 'Backspace', 'a', 'm', 'q', '7']) known.learnKey(key, false);
  assert.ok(known.reveals('You wrote sesamq7'));
  for (const key of ['o', 'p', 'e', 'n']) known.learnKey(key, key === 'o');
  assert.ok(known.reveals('open it'));
});

test('a value of any length takes bounded time', () => {
  const known = privateWords();
  const long = 'lorem ipsum dolor '.repeat(60_000);
  const start = performance.now();
  known.learn(long, true);
  known.learnWhole(long);
  known.reveals(long);
  console.log(`a megabyte: ${(performance.now() - start).toFixed(1)} ms`);
  assert.equal(fold('  Ä b\u0301c – 1 '), 'a bc 1');
  assert.equal(starred('a bé\n*'), '* **\n*');
});

// For each language: labels and names of card number, holder, security code, expiry, account, password, one-time code, and
// numbers of taxes and social security.
const SECRETS: Record<string, string[]> = {
  names: [
    'card-number', 'cardNumber', 'cc_num', 'cc-exp', 'card_exp_month', 'card[exp_year]', 'CVC', 'cvv2', 'userIban', 'exp_date', 'acctNumber',
    'current-password', 'otp', 'totp', 'sms_code', 'ssn', 'taxId', 'tax_number', 'codePin',
  ],
  English: [
    'Card number', 'Name on card', 'Cardholder', 'Security code', 'Expiry date', 'Expires', 'Valid thru', 'MM / YY', 'MM/YY', 'IBAN', 'Sort code',
    'Account number', 'Account no.', 'PIN', 'Password', 'Your new password', 'One-time code', 'One-time password', 'Verification code',
    'Enter the OTP', 'Social Security number', 'SSN (last 4)', 'Tax ID', 'Taxpayer number', 'National Insurance number', 'Passport number',
  ],
  German: [
    'Kreditkartennummer', 'Kartennummer', 'Karteninhaberin', 'Prüfziffer', 'Pruefnummer', 'Sicherheitscode', 'Ablaufdatum', 'Gültig bis', 'Gueltig bis',
    'MM/JJ', 'Kontonummer', 'Passwort', 'Kennwort', 'TAN', 'Einmalcode', 'Bestätigungscode', 'Steuer-ID', 'Steueridentifikationsnummer',
    'Steuernummer', 'Sozialversicherungsnummer', 'Ausweisnummer',
  ],
  French: [
    'Numéro de carte', 'Numéro de la carte', 'Carte bancaire', 'Carte Bleue', 'Titulaire de la carte', 'Cryptogramme visuel', 'Code de sécurité',
    "Date d'expiration", 'Date de validité', 'MM/AA', 'Numéro de compte', 'RIB', 'Mot de passe', 'Code à usage unique', 'Code de vérification', 'Code PIN',
    'Numéro de sécurité sociale', 'Numéro fiscal', 'Identifiant fiscal',
  ],
  Spanish: [
    'Número de tarjeta', 'Número de la tarjeta', 'Titular de la tarjeta', 'Código de seguridad', 'Fecha de caducidad', 'Fecha de vencimiento', 'Fecha de expiración',
    'Contraseña', 'Número de cuenta', 'Código de un solo uso', 'Código de verificación', 'Clave de acceso', 'NIF', 'DNI',
    'Número de la Seguridad Social', 'Número de identificación fiscal',
  ],
  Italian: ['Numero della carta', 'Numero di carta', 'Intestatario', 'Codice di sicurezza', 'Data di scadenza', 'Carta di credito', 'Codice fiscale'],
  Russian: [
    'Номер карты', 'Номер банковской карты', 'Держатель карты', 'Имя на карте', 'Срок действия', 'Действительна до', 'ММ/ГГ', 'Код безопасности', 'Проверочный код',
    'Защитный код', 'Пароль', 'Введите пароль', 'ПИН-код', 'Одноразовый код', 'Код из СМС', 'Код подтверждения', 'Номер счёта', 'Расчётный счёт', 'БИК', 'ИНН', 'СНИЛС',
    'Номер паспорта',
  ],
  // Such fields cannot be told from those of a card. Their words are hidden without need.
  'hidden without need': ['Expiration of the contract', 'Contract expires on', 'Tarjeta de embarque', 'Срок действия договора'],
};
const NO_SECRETS: Record<string, string[]> = {
  names: ['name', 'comment', 'email', 'q', 'first_name', 'order-number', 'company', 'year', 'month', 'accountName', 'shopping', 'spinner'],
  English: [
    'Opinion', 'Postcard', 'Postcard message', 'Postcard number', 'Discard new changes', 'Scorecard name', 'Cardiology', 'Card game', 'Tango', 'Account name', 'Account notes',
    'What do you think of the Taliban?', 'Tin', 'Taxes are too high', 'How secure do you feel?', 'Passion', 'Passenger', 'Experience in years', 'Expected income', 'Code',
  ],
  German: ['Kommentar', 'Kartenspiel', 'Postkarte', 'Sind die Steuern zu hoch?', 'Wie sicher fühlen Sie sich?', 'Prüfung', 'Ort', 'Einmal', 'Konto', 'Tante'],
  French: ['Votre avis', 'Nom', 'Numéro de commande', 'Numéro de client', 'Carte postale', 'Ville', 'Code postal', 'Sécurité', 'Compte'],
  Spanish: ['Nombre', 'Palabras clave', 'Cuenta', 'Seguridad', 'Número de pedido', 'Código postal', 'Niño', 'Opinión'],
  Italian: ['Nome', 'Carta da gioco', 'Sicurezza', 'Numero ordine'],
  Russian: ['Имя', 'Комментарий', 'Номер заказа', 'Карта города', 'Открытка', 'Срок', 'Код города', 'Безопасность', 'Счёт матча', 'Иностранный язык', 'Параллель'],
};
for (const [language, labels] of Object.entries(SECRETS)) {
  test(`fields of payments and secrets are known: ${language}`, () => {
    assert.deepEqual(labels.filter((label) => !isPayment(label)), []);
  });
}
for (const [language, labels] of Object.entries(NO_SECRETS)) {
  test(`other fields are not taken for them: ${language}`, () => {
    assert.deepEqual(labels.filter((label) => isPayment(label)), []);
  });
}

const masks = (known = privateWords()) => ({ privateWords: known, redactedAddress: address, redacted: (v: string) => v }) as unknown as Masking;

test('a style sheet keeps how things look and says no words', () => {
  const known = learned('hunter2');
  const m = masks(known);
  for (const [css, kept] of [
    ['.a { color: red; content: "→" }', '.a { color: red; content: "→" }'],
    ['.a::before { content: "\\f101" }', '.a::before { content: "\\f101" }'],
    ['.a::before { content: "Secret; word}" ; color: red }', '.a::before { content: "******* *****" ; color: red }'],
    ["a{content:'it\\'s me'}", "a{content:'**** **'}"],
    ['a{--said:"hello there"}', 'a{--said:"***** *****"}'],
    ['a{--said: hunter2}', 'a{--said:}'],
    ['a{--w: 12px;--c:#fff}', 'a{--w: 12px;--c:#fff}'],
    ['a{background:url(/a.png?key=1)}', 'a{background:url("/a.png")}'],
    ["a{background:url('/a.png?key=1#x')}", 'a{background:url("/a.png")}'],
    ['@import "https://a.example/a.css?key=1";', '@import "https://a.example/a.css";'],
    ['/* jane */ a{b:c}', ' a{b:c}'],
    ['a{font-family:"Open Sans"}', 'a{font-family:"Open Sans"}'],
    ['input[value="hunter2"]{color:red}', 'input[hidden-value]{color:red}'],
  ] as const) assert.equal(quietStyle(css, m), kept, css);
  assert.equal(quietValue('content', '"hello"', m), '"*****"');
  assert.equal(quietValue('color', 'red', m), 'red');
  assert.equal(shownAddress('data:image/png;base64,AAAA', m), 'data:image/png;base64,AAAA');
  assert.equal(shownAddress("data:image/svg+xml,%3Csvg%3E%3Cpath d='M0 0'/%3E%3C/svg%3E", m), "data:image/svg+xml,%3Csvg%3E%3Cpath d='M0 0'/%3E%3C/svg%3E");
  assert.equal(shownAddress('data:image/svg+xml,%3Csvg%3E%3Ctext%3EJane%3C/text%3E%3C/svg%3E', m), 'data:,');
  assert.equal(shownAddress(`data:image/png;base64,${'A'.repeat(20_000)}`, m), 'data:,', 'a photograph may show a person');
  assert.equal(shownAddress('data:text/html,Jane', m), 'data:,');
});

test('an attribute that is not known to make layout is left out', () => {
  const m = masks(learned('hunter2'));
  for (const [name, value] of [['width', '10'], ['class', 'a b'], ['id', 'main'], ['viewBox', '0 0 1 1'], ['data-state', 'open'], ['aria-expanded', 'true']] as const) {
    assert.equal(keptAttribute('div', name, value, true, m), value, name);
  }
  for (const name of ['title', 'value', 'placeholder', 'alt', 'aria-label', 'aria-valuetext', 'data-name', 'name', 'content', 'srcdoc', 'label', 'onclick', 'ping', 'x-unknown']) {
    assert.equal(keptAttribute('div', name, 'jane', true, m), undefined, name);
  }
  assert.equal(keptAttribute('p', 'class', 'a of-hunter2', true, m), 'a');
  assert.equal(keptAttribute('p', 'id', 'tag-hunter2', true, m), undefined);
  assert.equal(keptAttribute('p', 'data-hunter2', '', true, m), undefined);
  assert.equal(keptAttribute('a', 'href', '/b?key=1', true, m), '/b');
  assert.equal(keptAttribute('a', 'href', '/b', false, m), undefined, 'a masked element has no address');
  assert.equal(keptAttribute('img', 'srcset', '/a.png?k=1 1x, /b.png 2x', true, m), '/a.png 1x, /b.png 2x');
});
