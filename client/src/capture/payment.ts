// Names that pages use for payment fields and other secrets: in `name` and `id`, and in labels in six languages.
//
// The words are folded as `fold` does it: without accents and capitals, so that й is и and ß is ss. A name that can mean a
// secret hides its field. A field that is hidden without need loses its words only, a secret that is kept is kept for good.

import { indexOf } from '../natives/js';
import { fold, squeezed } from './private-words';
import { pieces } from '../natives/strings';

/** Beginnings of such names. Matched anywhere, without spaces. */
const WITHIN = (
  // English
  'cardn,cardhold,cardexp,cardver,cardcode,cardsec,ccn,ccexp,cccsc,cccvc,nameoncard,creditcard,debitcard,cvc,cvv,securitycode,'
  + 'expir,expmonth,expyear,expdate,validthru,validuntil,goodthru,iban,accountnum,acctn,sortcode,routingn,swiftcode,passw,'
  + 'passphrase,passcode,pincode,pinnum,onetimec,onetimepass,verificationcode,authenticationcode,smscode,socialsec,taxid,taxnum,'
  + 'taxpayer,nationalinsurance,nationalid,passportn,'
  // German
  + 'kreditkart,kartenn,karteninh,kartenpr,prufn,prufz,pruefn,pruefz,sicherheitscode,ablaufd,verfallsd,gultigbis,gueltigbis,'
  + 'kontonummer,kontonr,bankleitzahl,kennwort,geheimzahl,einmalcode,einmalpass,einmalkenn,bestatigungscode,bestaetigungscode,'
  + 'steueri,steuernum,steuernr,sozialversicherungsn,versicherungsnummer,ausweisn,'
  // French
  + 'numerodecart,numerocart,numcart,numerodelac,numerodecomp,numerodecb,cartebancaire,cartebleue,cartedec,titulairedelac,'
  + 'codedesecu,cryptogram,datedevalid,motdepasse,codesecret,codeconfid,codepin,codedeverif,codeausage,codeusageunique,'
  + 'codedeconf,securitesociale,numerofiscal,numerodeidentificationfiscal,identifiantfiscal,'
  // Spanish
  + 'tarjeta,codigodeseg,codigodeverif,codigodeunsolouso,codigodeunuso,codigounico,caducidad,vencimiento,contrasena,clavesecreta,'
  + 'clavedeacceso,numerodecuenta,numerodelacuenta,seguridadsocial,identificacionfiscal,'
  // Italian
  + 'numerocarta,dicarta,dellacarta,cartadi,intestatario,disicurezza,scadenza,codicesegreto,codicefiscale,'
  // Russian
  + 'номеркарт,номербанковс,банковскаякарт,банковскоикарт,кредитнаякарт,кредитноикарт,держател,владелецкарт,имянакарте,'
  + 'срокдеиств,деиствительнадо,деиствуетдо,кодбезопасн,кодпроверк,проверочныикод,кодподтвержд,защитныикод,парол,пинкод,'
  + 'одноразов,кодизсмс,кодизsms,смскод,секретноеслово,номерсчета,расчетныисчет,снилс,номерпаспорт,серияпаспорт'
).split(',');
/** Matched as whole words only. */
const ALONE = ('csc,pin,tan,otp,totp,2fa,bic,blz,rib,ssn,mdp,nif,dni,nuss,инн,бик,пин,'
  + 'account no,mmyy,mm yy,mm yyyy,mm aa,mm aaaa,mm jj,mm jjjj,мм гг,мм гггг,ммгг').split(',');
/** Words that contain one of the names and mean something else. */
const OTHER = ' postcard postcards scorecard flashcard flashcards discard wildcard taliban ';

/** `names`: all names of a field. */
export const isPayment = (names: string): boolean => {
  const folded = ' ' + pieces(fold(names), ' ', (word) => (indexOf(OTHER, ' ' + word + ' ') >= 0 ? '' : word)) + ' ';
  const whole = squeezed(folded);
  for (let i = 0; i < WITHIN.length; i++) if (indexOf(whole, WITHIN[i]!) >= 0) return true;
  for (let i = 0; i < ALONE.length; i++) if (indexOf(folded, ' ' + ALONE[i]! + ' ') >= 0) return true;
  return false;
};
