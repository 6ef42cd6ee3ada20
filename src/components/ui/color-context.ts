import { createContext } from 'react';

/** Whether text is drawn with colours and other styles. */
export const ColorContext = createContext(true);
