// Names that pages use for payment fields and other secrets: in `name` and `id`, and in labels in five languages.

import { indexOf } from '../natives/js';
import { fold, squeezed } from './private-words';

/** Beginnings of such names. Matched anywhere, without spaces, accents and capitals. */
const WITHIN = ('cardn,cardhold,cardexp,cardver,cardcode,ccn,ccexp,cccsc,cccvc,nameoncard,creditcard,debitcard,cvc,cvv,'
  + 'securitycode,expir,expmonth,expyear,validthru,validuntil,iban,accountn,sortcode,routingn,swiftcode,passw,passphrase,'
  + 'passcode,pincode,onetimecode,kreditkart,kartenn,karteninh,kartenpr,prufn,prufz,sicherheitscode,ablaufd,gultigbis,'
  + 'kontonummer,bankleitzahl,kennwort,geheimzahl,numerodec,numerodelac,cartebancaire,cartedec,titulairedelac,'
  + 'codedesecu,cryptogram,motdepasse,codesecret,codeconfid,tarjeta,codigodeseg,caducidad,vencimiento,contrasena,'
  + 'clavesecreta,numerocarta,dicarta,dellacarta,cartadi,intestatario,disicurezza,scadenza,codicesegreto').split(',');
/** Matched as whole words only. */
const ALONE = 'csc,pin,tan,bic,blz,mmyy,mm yy,mm yyyy,mm aa,mm aaaa,mm jj,mm jjjj'.split(',');

/** `names`: all names of a field. */
export const isPayment = (names: string): boolean => {
  const folded = ' ' + fold(names) + ' ';
  const whole = squeezed(folded);
  for (let i = 0; i < WITHIN.length; i++) if (indexOf(whole, WITHIN[i]!) >= 0) return true;
  for (let i = 0; i < ALONE.length; i++) if (indexOf(folded, ' ' + ALONE[i]! + ' ') >= 0) return true;
  return false;
};
